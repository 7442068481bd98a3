use super::tree::Inside;
use super::*;

fn fault(text: &str) -> XmlFault {
    parse(text).map(|_| ()).unwrap_err().fault
}

#[test]
fn elements_know_their_bytes_and_names() {
    let text = "<?xml version=\"1.0\"?>\n<x:a xmlns:x='urn:hl7-org:v3' one='1 &amp; 2'><x:b/>T &lt;<!-- c -->U</x:a>";
    let tree = parse(text).unwrap();
    let root = tree.root();
    assert!(root.is("a") && root.space() == Space::V3);
    assert_eq!(root.bytes(), &text[22..]);
    assert_eq!(root.attribute("one"), Some("1 & 2"));
    assert_eq!(root.child("b").unwrap().bytes(), "<x:b/>");
    assert_eq!(root.words(), "T <U");
    assert_eq!(root.inside().filter(|inside| matches!(inside, Inside::Words(_))).count(), 1);
}

#[test]
fn a_prefix_holds_within_its_element_only() {
    let tree = parse("<a><b xmlns='urn:hl7-org:v3'><c/></b><d/></a>").unwrap();
    let spaces: Vec<Space> = tree.root().elements().map(El::space).collect();
    assert_eq!(spaces, [Space::V3, Space::None]);
}

#[test]
fn what_is_not_well_formed_is_named_by_its_place() {
    let broken = parse("<a>\n<b></c></a>").map(|_| ()).unwrap_err();
    assert_eq!((broken.fault, broken.line), (XmlFault::NotWellFormed, 2));
    for text in ["<a x='1' x='2'/>", "<a/><b/>", "<a/>words", "words<a/>", "", "<a b=c/>", "</a>"] {
        assert_eq!(fault(text), XmlFault::NotWellFormed, "{text}");
    }
    for text in ["<a><b>", "<a", "<a b='c", "<a><!-- ", "<a><![CDATA[ ", "<a>&am"] {
        assert!(matches!(fault(text), XmlFault::CutOff | XmlFault::NotWellFormed), "{text}");
    }
}

#[test]
fn entities_are_never_expanded() {
    assert_eq!(fault("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), XmlFault::DocumentType);
    assert_eq!(fault("<a>&nbsp;</a>"), XmlFault::Entity);
    assert_eq!(fault("<a b='&nbsp;'/>"), XmlFault::Entity);
    assert_eq!(fault("<a>&#0;</a>"), XmlFault::Entity);
    assert_eq!(parse("<a>&#x41;&#66;</a>").unwrap().root().words(), "AB");
}

#[test]
fn depth_and_numbers_have_limits() {
    assert_eq!(fault(&"<a>".repeat(200_000)), XmlFault::TooDeep);
    let attributes: String = (0..100_000).map(|at| format!(" a{at}='1'")).collect();
    assert_eq!(fault(&format!("<a{attributes}/>")), XmlFault::TooManyAttributes);
    let spaces: String = (0..200).map(|at| format!(" xmlns:a{at}='u'")).collect();
    assert_eq!(fault(&format!("<a{spaces}/>")), XmlFault::TooManyAttributes);
    assert_eq!(fault(&format!("<a>{}</a>", "<b/>".repeat(NODES))), XmlFault::TooMany);
    assert!(parse(&format!("<a>{}</a>", "<b/>".repeat(1000))).is_ok());
}

#[test]
fn texts_of_known_encodings_are_read() {
    let utf_16 = |big: bool| -> Vec<u8> {
        let text = "\u{feff}<a b='é€😀'/>";
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    for bytes in [utf_16(true), utf_16(false), utf_16(true)[2..].to_vec(), utf_16(false)[2..].to_vec()] {
        assert!(declares_utf_16(&bytes));
        assert_eq!(to_text(bytes.clone()).unwrap(), ("<a b='é€😀'/>".to_owned(), Some(bytes)));
    }
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe9\x80'/>".to_vec();
    assert!(to_text(latin).unwrap().0.ends_with("<a b='é€'/>"));
    assert!(to_text("\u{feff}<?xml encoding=\"utf-16\"?><a/>".into()).unwrap().1.is_none());
    let fault = |bytes: &[u8]| to_text(bytes.to_vec()).unwrap_err().fault;
    assert_eq!(fault(b"<?xml encoding='koi8-r'?><a/>"), XmlFault::UnknownEncoding);
    assert_eq!(fault(b"<a b='\xe9'/>"), XmlFault::NotInItsEncoding);
    assert_eq!(fault(b"\xff\xfe<\0a"), XmlFault::NotInItsEncoding);
    assert_eq!(fault(b"\xff\xfe<\0\0\xd8"), XmlFault::NotInItsEncoding);
}
