//! The page: the disclosed claims for people to read, and the signed tokens.
//!
//! The page is a function of the tokens alone, so a verifier makes it again and
//! compares. Only verified claims reach it, and every text passes [`escape`].

mod escape;

use self::escape::{Page, escape, escape_plain};
use crate::attribution::differing_names;
use crate::envelope::{Envelope, IssuerRole, STATEMENT};
use crate::file::{CLOSING, OPENING, Parts, RENDERER, RENDERER_MARK};
use crate::selection::chosen;
use crate::shown::ShownLine;
use crate::verified::{Contents, VerifiedEntry};
use subrosa_base::codec::base64url;
use subrosa_base::digest::Digest;

const STYLE: &str = include_str!("render/style.css");

/// The same width for everything withheld, so that a bar tells no length.
const BAR: &str = "<span class=\"bar\" role=\"img\" aria-label=\"withheld\">████████</span>";

/// The whole page of an excerpt that verified; `None` where it is longer than this many bytes.
pub(crate) fn page(parts: &Parts, contents: &Contents, limit: usize) -> Option<String> {
    let mut page = Page::new(limit);
    head(&mut page, &contents.envelope);
    page.push_str("<body>\n<main>\n");
    heading(&mut page, &contents.envelope);
    particulars(&mut page, &contents.envelope);
    entries(&mut page, &contents.entries);
    genuineness(&mut page, parts, &contents.envelope);
    selection(&mut page, &contents.envelope);
    closing(&mut page);
    page.push_str("</main>\n");
    page.push_str(OPENING);
    page.write(|text| parts.write_json(text));
    page.push_str(CLOSING);
    page.push_str("\n</body>\n</html>\n");
    page.finish()
}

/// Which of several open pages it is, without the patient's name: titles are kept in the
/// browser's history.
fn page_title(envelope: &Envelope) -> String {
    format!("Excerpt for {}, {}", escape_plain(&envelope.recipient), envelope.issued.day())
}

fn head(page: &mut Page, envelope: &Envelope) {
    let title = page_title(envelope);
    let hash = base64url::encode_padded(Digest::of(&[STYLE.as_bytes()]).as_bytes());
    let lines = [
        "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-",
        hash.as_str(),
        "'; base-uri 'none'; form-action 'none'\">\n",
        RENDERER_MARK.0,
        RENDERER,
        RENDERER_MARK.1,
        "\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n",
        "<title>",
        title.as_str(),
        "</title>\n<style>",
        STYLE,
        "</style>\n</head>\n",
    ];
    lines.into_iter().for_each(|line| page.push_str(line));
}

fn heading(page: &mut Page, envelope: &Envelope) {
    page.push_str("<header>\n<p class=\"mark\">Confidential</p>\n<h1>Excerpt of health records</h1>\n");
    match &envelope.subject {
        Some(salted) => {
            let subject = &salted.subject;
            let born = subject.born_in_words();
            let born = born.map_or(String::new(), |born| format!(", born {}", escape(&born)));
            page.push_str(&format!(
                "<p class=\"subject\">about <strong>{}</strong>{born}</p>\n",
                escape(&subject.name)
            ));
        }
        None => page.push_str("<p class=\"subject\">The patient is not named in this excerpt.</p>\n"),
    }
    page.push_str(&format!("<p class=\"statement\">{STATEMENT}</p>\n</header>\n"));
}

fn particulars(page: &mut Page, envelope: &Envelope) {
    let expires = match envelope.expires {
        Some(expires) => expires.last_valid(),
        None => "no end date".to_owned(),
    };
    let role = match envelope.role {
        IssuerRole::Patient => "the patient; no clinic has signed this",
        IssuerRole::Provider => "a clinic or other provider, by its own account",
    };
    page.push_str(
        "<section aria-labelledby=\"particulars\">\n<h2 id=\"particulars\">Particulars</h2>\n<table>\n",
    );
    row(page, "Issued for", &escape(&envelope.recipient));
    row(page, "Purpose", &escape(&envelope.purpose));
    row(page, "Issued by", &escape(&envelope.issuer));
    row(page, "Signed as", role);
    row(page, "Issued on", &envelope.issued.to_string());
    row(page, "Valid until", &expires);
    row(page, "Number of this copy", &format!("<code>{}</code>", envelope.id));
    page.push_str("</table>\n");
    if let Some(sentence) = differing_names(envelope) {
        page.push_str(&format!("<p class=\"warning\">{}</p>\n", escape(&sentence)));
    }
    page.push_str("</section>\n");
}

fn row(page: &mut Page, name: &str, value: &str) {
    page.push_str(&format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>\n"));
}

fn genuineness(page: &mut Page, parts: &Parts, envelope: &Envelope) {
    let fingerprint = parts.key.fingerprint();
    page.push_str(&format!(
        "<section class=\"check\" aria-labelledby=\"check\">\n\
         <h2 id=\"check\">Is this genuine?</h2>\n\
         <p>A page can be forged as easily as a letter, so do not trust what it says about itself. \
         Keep this file exactly as you received it and open it with a Subrosa verifier, such as \
         verify_excerpt or personal, that you got from somewhere else; it needs no network and no account. It checks that nothing was changed, \
         added or taken away, and shows the fingerprint of the signer's key.</p>\n\
         <p>Then compare that fingerprint with one that you got from {} in another way, \
         by telephone or in person. On this page it reads:</p>\n\
         <p class=\"fingerprint\"><code>{fingerprint}</code></p>\n\
         <p>A printed copy cannot be verified; only the file can.</p>\n</section>\n",
        escape(&envelope.issuer)
    ));
}

fn selection(page: &mut Page, envelope: &Envelope) {
    page.push_str(
        "<section aria-labelledby=\"selection\">\n<h2 id=\"selection\">How this was selected</h2>\n<table>\n",
    );
    for chosen in chosen(&envelope.policy) {
        match chosen.is_asked_for {
            true => row(page, chosen.heading, &escape(&chosen.words)),
            false => row(page, chosen.heading, &chosen.words),
        }
    }
    page.push_str("</table>\n");
    if !envelope.notices.is_empty() {
        page.push_str("<p class=\"note\">The signer adds, in their own words, which nobody checked:</p>\n");
    }
    for notice in &envelope.notices {
        page.push_str(&format!("<p class=\"note\">“{}”</p>\n", escape(notice)));
    }
    page.push_str("</section>\n");
}

fn entries(page: &mut Page, entries: &[VerifiedEntry]) {
    let count = match entries.len() {
        0 => "No records".to_owned(),
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    };
    page.push_str(&format!("<section aria-labelledby=\"records\">\n<h2 id=\"records\">{count}</h2>\n"));
    if entries.iter().any(|entry| !entry.withheld_fields().is_empty()) {
        page.push_str(&format!(
            "<p>A black bar stands for something that this record holds and this excerpt withholds. \
             All bars have the same width: {BAR}</p>\n"
        ));
    }
    for (index, entry) in entries.iter().enumerate() {
        write_entry(page, index + 1, entry);
    }
    page.push_str("</section>\n");
}

fn write_entry(page: &mut Page, number: usize, entry: &VerifiedEntry) {
    let shown = entry.shown();
    page.push_str(&format!("<article>\n<h3>{number}. "));
    page.push_escaped(&shown.heading);
    page.push_str("</h3>\n");
    for warning in &shown.warnings {
        page.push_str("<p class=\"warning\">");
        page.push_escaped(warning);
        page.push_str("</p>\n");
    }
    page.push_str("<table>\n");
    shown.lines.iter().for_each(|line| write_line(page, line));
    page.push_str("</table>\n</article>\n");
}

fn write_line(page: &mut Page, line: &ShownLine) {
    let class = match line.depth {
        0 => "",
        1 => " class=\"in\"",
        _ => " class=\"in further\"",
    };
    page.push_str(&format!("<tr{class}><th scope=\"row\">"));
    page.push_escaped(&line.label);
    page.push_str("</th><td>");
    if line.withheld {
        page.push_str(BAR);
    } else {
        page.push_escaped(&line.text);
    }
    page.push_str("</td></tr>\n");
}

fn closing(page: &mut Page) {
    page.push_str(&format!(
        "<footer>\n<p>{STATEMENT} Nothing in this file tells whether whole records were left \
         out.</p>\n</footer>\n"
    ));
}
