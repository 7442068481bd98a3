//! Excerpt files that are not what they seem: what one reader takes for an excerpt and
//! another shows as something else.

use std::time::{Duration, SystemTime};

use subrosa::excerpt::{Compared, VerifyError};
use subrosa::{TrustedKeys, UnverifiedExcerpt};

const JSON: &str = include_str!("../golden/excerpt.json");
const PAGE: &str = include_str!("../golden/excerpt.html");
const HTML: &str = "<h1>Excerpt of health records</h1><p>No allergies.</p>";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_315_353)
}

fn fault(file: impl AsRef<[u8]>) -> Option<VerifyError> {
    let excerpt = UnverifiedExcerpt::parse(file.as_ref());
    excerpt.and_then(|excerpt| excerpt.verify(&TrustedKeys::none(), now())).err()
}

fn compared(file: impl AsRef<[u8]>) -> Option<Compared> {
    let excerpt = UnverifiedExcerpt::parse(file.as_ref()).ok()?;
    Some(excerpt.verify_claims_only(&TrustedKeys::none(), now()).ok()?.compared())
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is there to be replaced");
    text.replacen(from, to, 1)
}

#[test]
fn the_result_says_whether_a_page_was_compared() {
    assert_eq!((fault(JSON), compared(JSON)), (None, Some(Compared::Tokens)));
    assert_eq!((fault(PAGE), compared(PAGE)), (None, Some(Compared::Page)));
}

#[test]
fn what_editors_add_around_the_json_is_passed_over_and_nothing_else() {
    for file in [format!("{JSON}\n"), format!("{JSON}\r\n"), format!("\u{feff}{JSON}\r\n")] {
        assert_eq!(compared(&file), Some(Compared::Tokens));
    }
    for file in [
        format!("{JSON}\n\n"),
        format!("{JSON}\r"),
        format!("{JSON} "),
        format!(" {JSON}"),
        format!("\n{JSON}"),
        format!("\u{feff}\u{feff}{JSON}"),
        format!("{JSON}{JSON}"),
        format!("{JSON}\0"),
    ] {
        assert!(fault(&file).is_some(), "{:?}…", file.get(..12));
    }
}

/// One file for each way to hide something in a JSON file.
fn polyglots() -> Vec<String> {
    let mut files = vec![
        replaced(JSON, "{\"kty\"", &format!("{{\"note\":\"{HTML}\",\"kty\"")),
        replaced(JSON, "\"kty\":\"EC\"", &format!("\"kty\":\"EC\",\"x5c\":\"{HTML}\"")),
        replaced(JSON, "\"kty\":\"EC\"", "\"kty\":\"EC\",\"use\":\"sig\""),
        replaced(JSON, "\"kty\":\"EC\"", "\"kty\":\"EC\",\"alg\":\"ES256\""),
        replaced(JSON, "\"kty\":\"EC\",\"crv\":\"P-256\"", "\"crv\":\"P-256\",\"kty\":\"EC\""),
        replaced(JSON, "\"EC\"", "\"\\u0045C\""),
        replaced(JSON, "\"subrosa_excerpt\":1", &format!("\"subrosa_excerpt\":1,\"html\":\"{HTML}\"")),
        replaced(JSON, "{\"subrosa", &format!("{{\"{HTML}\":1,\"subrosa")),
        replaced(JSON, "\"entries\":[", &format!("\"entries\":[\"{HTML}\",")),
        replaced(JSON, "\"entries\":[", &format!("\"more\":\"{HTML}\",\"entries\":[")),
        replaced(JSON, "\"envelope\":\"", &format!("\"envelope\":\"{HTML}")),
        replaced(JSON, ":1,", ":1.0,"),
        replaced(JSON, ",\"key\"", ", \"key\""),
        replaced(JSON, "]}", &format!("],\"after\":\"{HTML}\"}}")),
    ];
    let around = [
        HTML,
        "<!--",
        "<!-- -->",
        "<script>",
        "<html>",
        "<?xml version=\"1.0\"?>",
        "\u{feff}<p>",
        " <p>",
        "\t\n<!DOCTYPE html>",
        "/* <p> */",
        "//<p>\n",
        "%PDF-1.7\n",
        "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=a\n\n--a\nContent-Type: text/html\n\n",
        "From nobody\n\n",
        "\0",
        "GIF89a",
        "PK\u{3}\u{4}",
        "#!/bin/sh\n",
        "{",
        ")]}'\n",
    ];
    for text in around {
        files.push(format!("{text}{JSON}"));
        files.push(format!("{JSON}{text}"));
    }
    files
}

#[test]
fn no_polyglot_is_an_excerpt_or_a_page_that_was_saved_again() {
    for (number, file) in polyglots().iter().enumerate() {
        assert!(fault(file).is_some(), "polyglot {number} verifies");
        let compared = compared(file);
        assert!(
            matches!(compared, None | Some(Compared::DifferentPage)),
            "polyglot {number} is {compared:?}"
        );
    }
    let utf16: Vec<u8> = PAGE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &utf16].concat();
    for file in [utf16, marked, [b"+/v8-".as_slice(), JSON.as_bytes()].concat()] {
        assert_eq!(fault(file), Some(VerifyError::NotAnExcerpt));
    }
}

#[test]
fn a_page_that_shows_anything_else_is_refused_and_what_was_signed_is_still_had() {
    let mark = "<meta name=\"subrosa-renderer\" content=\"1\">";
    for file in [
        replaced(PAGE, "<main>", &format!("<main>{HTML}")),
        replaced(PAGE, "<body>", "<body><!-- a comment -->"),
        replaced(PAGE, "<!DOCTYPE html>", "<!-- --><!DOCTYPE html>"),
        replaced(PAGE, "<!DOCTYPE html>\n", "<!DOCTYPE html>\n<!-- saved from url=(0005)a%PDF -->\n"),
        replaced(PAGE, "</style>", "main{display:none}</style>"),
        replaced(PAGE, "</body>", "<script type=\"text/javascript\">document.write(1)</script></body>"),
        replaced(PAGE, "\n</body>", "\0\n</body>"),
        format!("MIME-Version: 1.0\n\n{PAGE}").replacen("MIME", "<!--MIME", 1),
        format!(" {PAGE}"),
        format!("{PAGE}%PDF-1.7"),
        format!("{PAGE}{HTML}"),
    ] {
        assert_eq!(fault(&file), Some(VerifyError::PageDiffers));
        let excerpt = UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
        let excerpt = excerpt.verify_claims_only(&TrustedKeys::none(), now()).unwrap();
        assert_eq!(excerpt.compared(), Compared::DifferentPage);
        assert_eq!(excerpt.entries().len(), 4);
    }
    // Which of two would count? Neither does.
    let script = "<script type=\"application/json\" id=\"subrosa-excerpt\">";
    let twice = replaced(PAGE, script, &format!("{script}{JSON}</script>{script}"));
    assert_eq!(fault(twice), Some(VerifyError::NotAsIssued));
    assert_eq!(fault(replaced(PAGE, mark, &format!("{mark}{mark}"))), Some(VerifyError::NotAsIssued));
    // Spellings that a browser takes for the same element are no embedded excerpt.
    for other in
        ["<SCRIPT type=\"application/json\" id=\"subrosa-excerpt\">", "<script id=\"subrosa-excerpt\">"]
    {
        assert_eq!(fault(replaced(PAGE, script, other)), Some(VerifyError::NotAnExcerpt));
    }
    let newer = replaced(PAGE, "renderer\" content=\"1\"", "renderer\" content=\"9\"");
    assert_eq!(
        (fault(&newer), compared(&newer)),
        (Some(VerifyError::UnknownRenderer), Some(Compared::UnknownPage))
    );
}

#[test]
fn a_page_that_was_saved_again_is_neither_genuine_nor_forged() {
    let comment = "<!DOCTYPE html>\n<!-- saved from url=(0036)https://mail.example.org/a/excerpt.html -->\n";
    for file in [
        PAGE.replace('\n', "\r\n"),
        format!("\u{feff}{PAGE}"),
        PAGE.trim_end().to_owned(),
        format!("{PAGE}\n\n"),
        replaced(PAGE, "<!DOCTYPE html>\n", &comment.replace("0036", "0042")),
    ] {
        let length = "https://mail.example.org/a/excerpt.html".len();
        let file = file.replace("(0042)", &format!("({length:04})"));
        assert_eq!(fault(&file), Some(VerifyError::PageResaved));
        assert_eq!(compared(&file), Some(Compared::ResavedPage));
    }
}
