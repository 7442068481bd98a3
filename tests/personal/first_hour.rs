//! The first hour of README, as it is written there.

use crate::support::Person;

fn words(line: &str) -> Vec<String> {
    let command = line.split("  #").next().unwrap_or_default();
    let parts = command.trim().split('"').enumerate();
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    parts.flat_map(part).collect()
}

#[test]
fn the_commands_of_readme_work_in_their_order() {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(project.join("README.md")).unwrap();
    let (_, block) = readme.split_once("```sh first hour\n").expect("README has a first hour");
    let (block, _) = block.split_once("```").unwrap();
    let person = Person::new();
    std::fs::create_dir_all(person.path("examples/sample")).unwrap();
    let sample = "examples/sample/patient.json";
    std::fs::copy(project.join(sample), person.path(sample)).unwrap();
    let mut said = Vec::new();
    for line in block.lines() {
        let words = words(line);
        let (program, arguments) = words.split_first().unwrap();
        assert_eq!(program, "personal");
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // What a person types: here it comes from a file, and yes is said beforehand.
        if arguments[0] == "init" {
            arguments.extend(["--small-device", "--recovery-key-out", "key"]);
        }
        if arguments[0] != "verify" && arguments[0] != "init" {
            arguments.push("--yes");
        }
        said.push(person.run(&arguments).done().out());
    }
    let said = |at: usize| said.get(at).map(String::as_str).unwrap_or_default();
    assert!(said(1).contains("Imported ") && said(2).contains("Influenza"), "{}{}", said(1), said(2));
    assert!(said(3).contains("Influenza") && said(4).contains("This is a preview"), "{}", said(4));
    assert!(said(7).starts_with("GENUINE"), "{}", said(7));
    assert!(said(8).contains("Undid import"), "{}", said(8));
    assert!(person.run(&["list", "my.vault"]).done().err().contains("The vault is empty"));
}
