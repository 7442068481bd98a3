//! What the documents say is what the code does.

use subrosa::{FieldType, Kind};

fn document(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is there", path.display()))
}

fn kinds() -> String {
    let mut text = String::new();
    for kind in Kind::all() {
        text += &format!("**{} `{}`**:\n", kind.number(), kind.name());
        let fields: Vec<String> = kind
            .schema()
            .iter()
            .map(|field| {
                let repeats = if field.repeats { "*" } else { "" };
                format!("{} `{}` {}{repeats}", field.tag, field.name, type_name(field.field_type))
            })
            .collect();
        text += &format!("{}.\n\n", fields.join(" · "));
    }
    text
}

fn type_name(field_type: FieldType) -> String {
    format!("{field_type:?}")
}

#[test]
fn the_format_document_lists_every_kind_and_field() {
    let written = document("docs/format.md");
    let (_, appendix) = written.split_once("## Appendix: kinds and fields").expect("the appendix is there");
    let listed = appendix.split_once("index 0.").expect("the appendix has its introduction").1;
    assert!(listed.trim() == kinds().trim(), "docs/format.md should list:\n\n{}", kinds());
}
