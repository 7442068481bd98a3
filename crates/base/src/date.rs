//! Dates as precise as they were written, compared as intervals.
//!
//! The source text is never padded or rewritten: `2019` stays `2019`, and means
//! the whole year.

#[doc(hidden)]
pub mod moment;
mod words;

use std::fmt;

use jiff::civil::Date;
use thiserror::Error;

const NANOSECONDS: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * NANOSECONDS;
/// Local clocks run at most 14 hours ahead of UTC.
const FURTHEST_AHEAD: i128 = 14 * 3_600 * NANOSECONDS;
/// Local clocks run at most 12 hours behind UTC.
const FURTHEST_BEHIND: i128 = 12 * 3_600 * NANOSECONDS;
const UNIX_EPOCH: Date = Date::constant(1970, 1, 1);

/// A text that is not a partial date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a date; write it like 2019, 2019-04, 2019-04-27 or 2019-04-27T15:30:00+02:00")]
pub struct ParseDateError;

/// How precisely a date was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// `2019`
    Year,
    /// `2019-04`
    Month,
    /// `2019-04-27`
    Day,
    /// `2019-04-27T15:30Z`
    Minute,
    /// `2019-04-27T15:30:00Z`
    Second,
    /// `2019-04-27T15:30:00.25Z`
    Fraction,
}

/// A date, or a date and time, with the precision and the text it was written with
/// (FHIR R4 `date`, `dateTime` and `instant`).
///
/// Compared as an interval: `2019` is every moment of the year. FHIR demands an
/// offset where there is a time; records in the field leave it out, so it may be
/// missing here, as may the seconds.
///
/// What has no offset names different moments in different places. Two such dates
/// compare by the calendar, as if written in the same place. Against a date with an
/// offset, one without stands for the widest interval that any offset allows (UTC−12
/// to UTC+14) where the question is whether two may meet, and for the narrowest one
/// where the question is what certainly lies within it.
///
/// ```
/// # use subrosa_base::{DateRange, PartialDate};
///
/// let year: PartialDate = "2019".parse()?;
/// assert_eq!(year.as_str(), "2019");
/// let spring = DateRange::new(Some("2019-03".parse()?), Some("2019-05".parse()?));
/// assert!(DateRange::at(year.clone()).may_overlap(&spring));
/// assert!(!DateRange::at(year).certainly_within(&spring));
/// # Ok::<(), subrosa_base::ParseDateError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PartialDate {
    text: String,
    precision: Precision,
    year: i16,
    /// Nanoseconds since 1970-01-01T00:00:00, by the written clock if there is no
    /// offset, else UTC.
    start: i128,
    length: i128,
    has_offset: bool,
}

impl PartialDate {
    /// Longest text in bytes.
    pub const LIMIT: usize = 40;

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How precisely the date was written.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The year as written.
    #[must_use]
    pub fn year(&self) -> i16 {
        self.year
    }

    /// Whether a time zone offset was written.
    #[must_use]
    pub fn has_offset(&self) -> bool {
        self.has_offset
    }

    /// Whether the two intervals may share a moment.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        DateRange::at(self.clone()).may_overlap(&DateRange::at(other.clone()))
    }

    /// Whether no moment of it is as early as this one, in milliseconds since
    /// 1970-01-01T00:00:00Z.
    #[doc(hidden)]
    pub fn starts_after(&self, moment: i64) -> bool {
        self.widest(true).0 > i128::from(moment) * 1_000_000
    }

    /// Whether each moment of it is before each of the other one.
    #[doc(hidden)]
    pub fn ends_before(&self, other: &Self) -> bool {
        self.widest(other.has_offset).1 <= other.widest(self.has_offset).0
    }

    /// Its first moment in nanoseconds since 1970-01-01T00:00:00, by the written clock if
    /// there is no offset, else UTC.
    #[must_use]
    pub fn first_moment(&self) -> i128 {
        self.start
    }

    /// What lists sort by: the first moment, then the earlier end.
    fn sort_key(&self) -> (i128, i128) {
        (self.start, self.start + self.length)
    }

    /// First and first-not-included moment, taken as wide as the offsets allow.
    fn widest(&self, against_offset: bool) -> (i128, i128) {
        let (start, end) = (self.start, self.start + self.length);
        if against_offset && !self.has_offset {
            (start - FURTHEST_AHEAD, end + FURTHEST_BEHIND)
        } else {
            (start, end)
        }
    }

    /// First and first-not-included moment, taken as narrow as the offsets allow.
    fn narrowest(&self, against_offset: bool) -> (i128, i128) {
        let (start, end) = (self.start, self.start + self.length);
        if against_offset && !self.has_offset {
            (start + FURTHEST_BEHIND, end - FURTHEST_AHEAD)
        } else {
            (start, end)
        }
    }
}

impl std::str::FromStr for PartialDate {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        if text.len() > Self::LIMIT {
            return Err(ParseDateError);
        }
        let (day, time) = match text.split_once('T') {
            Some((day, time)) => (day, Some(time)),
            None => (text, None),
        };
        let day = Day::parse(day)?;
        let Some(time) = time else {
            return Ok(day.with_text(text));
        };
        let clock = Clock::parse(time)?;
        if day.precision != Precision::Day {
            return Err(ParseDateError);
        }
        Ok(Self {
            text: text.to_owned(),
            precision: clock.precision,
            year: day.first.year(),
            start: day.start() + clock.since_midnight - clock.offset.unwrap_or(0),
            length: clock.length,
            has_offset: clock.offset.is_some(),
        })
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate")
    }
}

/// From the first moment of `start` to the last moment of `end`, both included;
/// a missing bound is open or unknown.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct DateRange {
    start: Option<PartialDate>,
    end: Option<PartialDate>,
}

impl DateRange {
    /// A range with these bounds.
    #[must_use]
    pub fn new(start: Option<PartialDate>, end: Option<PartialDate>) -> Self {
        Self { start, end }
    }

    /// The range of one date.
    #[must_use]
    pub fn at(date: PartialDate) -> Self {
        Self { start: Some(date.clone()), end: Some(date) }
    }

    /// The date it starts with.
    #[must_use]
    pub fn start(&self) -> Option<&PartialDate> {
        self.start.as_ref()
    }

    /// The date it ends with.
    #[must_use]
    pub fn end(&self) -> Option<&PartialDate> {
        self.end.as_ref()
    }

    /// What lists sort by: the start, else the end.
    #[doc(hidden)]
    pub fn sort_key(&self) -> Option<(i128, i128)> {
        self.start().or(self.end()).map(PartialDate::sort_key)
    }

    /// Whether both bounds are open.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }

    /// Whether the two may share a moment. What listing filters by.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        may_start_before_end(self.start(), other.end()) && may_start_before_end(other.start(), self.end())
    }

    /// Whether every moment that this may stand for lies inside `outer`. What a
    /// release filters by: an open or unknown bound is not certainly inside a
    /// bounded range.
    #[must_use]
    pub fn certainly_within(&self, outer: &Self) -> bool {
        let after_start = outer.start().is_none_or(|bound| {
            [self.start(), self.end()]
                .into_iter()
                .flatten()
                .all(|date| date.widest(bound.has_offset).0 >= bound.narrowest(date.has_offset).0)
                && self.start().is_some()
        });
        let before_end = outer.end().is_none_or(|bound| {
            [self.start(), self.end()]
                .into_iter()
                .flatten()
                .all(|date| date.widest(bound.has_offset).1 <= bound.narrowest(date.has_offset).1)
                && self.end().is_some()
        });
        after_start && before_end
    }
}

/// How the dates of an entry stand to the range that is asked for: the one rule of lists
/// and releases. A list shows what is [`Inside`](Fit::Inside) and
/// [`Perhaps`](Fit::Perhaps), a release lets out the first and names the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Fit {
    /// Every moment that the entry may be about lies in the range.
    Inside,
    /// Some may, and it is not known whether all do: there is no date, or a date is too
    /// coarse, lies before the range, or is missing, as the end of what was stopped often is.
    Perhaps,
    /// No moment does.
    Outside,
}

impl DateRange {
    /// How these dates, an entry's, stand to a range; `None` is undated.
    #[must_use]
    pub fn fit(dates: Option<&Self>, range: &Self) -> Fit {
        match dates {
            _ if range.is_unbounded() => Fit::Inside,
            None => Fit::Perhaps,
            Some(dates) if !dates.may_overlap(range) => Fit::Outside,
            Some(dates) if dates.certainly_within(range) => Fit::Inside,
            Some(_) => Fit::Perhaps,
        }
    }
}

impl fmt::Debug for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DateRange")
    }
}

fn may_start_before_end(start: Option<&PartialDate>, end: Option<&PartialDate>) -> bool {
    match (start, end) {
        (Some(start), Some(end)) => start.widest(end.has_offset).0 < end.widest(start.has_offset).1,
        _ => true,
    }
}

/// The part before the `T`.
struct Day {
    first: Date,
    precision: Precision,
}

impl Day {
    fn parse(text: &str) -> Result<Self, ParseDateError> {
        let mut parts = text.split('-');
        let year = digits(parts.next(), 4)?;
        let month = parts.next();
        let day = parts.next();
        if parts.next().is_some() || year == 0 {
            return Err(ParseDateError);
        }
        let precision = match (month, day) {
            (None, _) => Precision::Year,
            (_, None) => Precision::Month,
            _ => Precision::Day,
        };
        let month = month.map_or(Ok(1), |text| digits(Some(text), 2))?;
        let day = day.map_or(Ok(1), |text| digits(Some(text), 2))?;
        let first = Date::new(
            i16::try_from(year).map_err(|_| ParseDateError)?,
            i8::try_from(month).map_err(|_| ParseDateError)?,
            i8::try_from(day).map_err(|_| ParseDateError)?,
        )
        .map_err(|_| ParseDateError)?;
        Ok(Self { first, precision })
    }

    fn start(&self) -> i128 {
        i128::from(self.first.duration_since(UNIX_EPOCH).as_hours()) / 24 * DAY
    }

    fn days(&self) -> i128 {
        match self.precision {
            Precision::Year => self.first.days_in_year().into(),
            Precision::Month => self.first.days_in_month().into(),
            _ => 1,
        }
    }

    fn with_text(&self, text: &str) -> PartialDate {
        PartialDate {
            text: text.to_owned(),
            precision: self.precision,
            year: self.first.year(),
            start: self.start(),
            length: self.days() * DAY,
            has_offset: false,
        }
    }
}

/// The part behind the `T`, in nanoseconds.
struct Clock {
    precision: Precision,
    since_midnight: i128,
    length: i128,
    offset: Option<i128>,
}

impl Clock {
    fn parse(text: &str) -> Result<Self, ParseDateError> {
        let (clock, offset) = split_offset(text)?;
        let mut parts = clock.splitn(3, ':');
        let hours = at_most(digits(parts.next(), 2)?, 23)?;
        let minutes = at_most(digits(parts.next(), 2)?, 59)?;
        let midnight_to_minute = (hours * 60 + minutes) * 60 * NANOSECONDS;
        let Some(seconds) = parts.next() else {
            let length = 60 * NANOSECONDS;
            return Ok(Self {
                precision: Precision::Minute,
                since_midnight: midnight_to_minute,
                length,
                offset,
            });
        };
        let (seconds, fraction) = match seconds.split_once('.') {
            Some((seconds, fraction)) => (seconds, Some(fraction)),
            None => (seconds, None),
        };
        // 60 is a leap second, which FHIR allows.
        let to_second = midnight_to_minute + at_most(digits(Some(seconds), 2)?, 60)? * NANOSECONDS;
        let (precision, since_second, length) = match fraction {
            None => (Precision::Second, 0, NANOSECONDS),
            Some(fraction) => parse_fraction(fraction)?,
        };
        Ok(Self { precision, since_midnight: to_second + since_second, length, offset })
    }
}

/// Digits behind the ninth say nothing that comparing needs; the text keeps them.
fn parse_fraction(text: &str) -> Result<(Precision, i128, i128), ParseDateError> {
    let kept = text.get(..text.len().min(9)).ok_or(ParseDateError)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseDateError);
    }
    let value = digits(Some(kept), kept.len())?;
    let unit = (kept.len()..9).fold(1, |unit, _| unit * 10);
    Ok((Precision::Fraction, value * unit, unit))
}

fn split_offset(text: &str) -> Result<(&str, Option<i128>), ParseDateError> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Ok((clock, Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Ok((text, None));
    };
    let (clock, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..).and_then(|text| text.split_once(':')).ok_or(ParseDateError)?;
    let hours = at_most(digits(Some(hours), 2)?, 14)?;
    let minutes = at_most(digits(Some(minutes), 2)?, 59)?;
    if hours == 14 && minutes != 0 {
        return Err(ParseDateError);
    }
    Ok((clock, Some(sign * (hours * 60 + minutes) * 60 * NANOSECONDS)))
}

fn digits(text: Option<&str>, count: usize) -> Result<i128, ParseDateError> {
    let text = text.ok_or(ParseDateError)?;
    if count == 0 || text.len() != count || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseDateError);
    }
    text.parse().map_err(|_| ParseDateError)
}

fn at_most(value: i128, limit: i128) -> Result<i128, ParseDateError> {
    if value > limit { Err(ParseDateError) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> PartialDate {
        text.parse().unwrap_or_else(|_| panic!("refused {text}"))
    }

    fn range(start: &str, end: &str) -> DateRange {
        let bound = |text: &str| (!text.is_empty()).then(|| date(text));
        DateRange::new(bound(start), bound(end))
    }

    #[test]
    fn the_text_and_its_precision_are_kept() {
        for (text, precision) in [
            ("2019", Precision::Year),
            ("2019-04", Precision::Month),
            ("2020-02-29", Precision::Day),
            ("2019-04-27T15:30Z", Precision::Minute),
            ("2019-04-27T15:30:00", Precision::Second),
            ("2019-04-27T15:30:60-05:00", Precision::Second),
            ("2019-04-27T15:30:00.12345678901+14:00", Precision::Fraction),
            ("0001-01-01", Precision::Day),
            ("9999-12-31T23:59:59.999-12:00", Precision::Fraction),
        ] {
            assert_eq!(date(text).as_str(), text);
            assert_eq!(date(text).precision(), precision, "{text}");
        }
    }

    #[test]
    fn what_is_no_calendar_date_is_refused() {
        for text in [
            "",
            "19",
            "02019",
            "0000",
            "2019-",
            "2019-13",
            "2019-00",
            "2019-4",
            "2019-02-29",
            "2019-04-31",
            "2019-04-27-01",
            "2019-04T10:00:00Z",
            "2019T10:00:00Z",
            "2019-04-27T",
            "2019-04-27T24:00:00Z",
            "2019-04-27T10:60:00Z",
            "2019-04-27T10:00:61Z",
            "2019-04-27T10:00:00.Z",
            "2019-04-27T10:00:00+1400",
            "2019-04-27T10:00:00+14:01",
            "2019-04-27T10:00:00.1é",
            "2019-04-27t10:00:00z",
            " 2019",
            "+2019",
            "2019-04-27T1:00:00Z",
            "2019-04-27T10",
            "２０１９",
            "2019-04-27T10:00:00.0000000000000000000000000000Z",
        ] {
            assert_eq!(text.parse::<PartialDate>(), Err(ParseDateError), "accepted {text:?}");
        }
    }

    #[test]
    fn intervals_meet_as_the_calendar_says() {
        assert!(date("2019").overlaps(&date("2019-12-31")));
        assert!(!date("2019").overlaps(&date("2020-01-01")));
        assert!(!date("2019-01").overlaps(&date("2019-02")));
        assert!(date("2019-04-27T10:00:00Z").overlaps(&date("2019-04-27T12:00:00.0+02:00")));
        assert!(!date("2019-04-27T10:00:00Z").overlaps(&date("2019-04-27T10:00:01Z")));
    }

    #[test]
    fn a_date_without_offset_is_wide_against_a_moment() {
        assert!(date("2019-04-27").overlaps(&date("2019-04-26T10:00:00Z")));
        assert!(!date("2019-04-27").overlaps(&date("2019-04-26T09:59:59Z")));
        assert!(date("2019-04-27").overlaps(&date("2019-04-28T11:59:59Z")));
        assert!(!date("2019-04-27").overlaps(&date("2019-04-28T12:00:00Z")));
    }

    #[test]
    fn only_what_lies_inside_for_certain_is_within() {
        let year = range("2019", "2019");
        assert!(DateRange::at(date("2019-12-31")).certainly_within(&year));
        assert!(DateRange::at(date("2019")).certainly_within(&year));
        assert!(!DateRange::at(date("2019")).certainly_within(&range("2019-01", "2019-06")));
        assert!(DateRange::at(date("2019-06-01T10:00:00Z")).certainly_within(&year));
        assert!(!DateRange::at(date("2019-01-01T11:59:59Z")).certainly_within(&year));
        assert!(DateRange::at(date("2019-01-01T12:00:00Z")).certainly_within(&year));
        assert!(!DateRange::at(date("2019-12-31T10:00:00Z")).certainly_within(&year));
    }

    #[test]
    fn an_open_bound_may_overlap_and_is_never_certainly_within() {
        let ongoing = range("2018", "");
        assert!(ongoing.may_overlap(&range("2020", "2020")));
        assert!(!ongoing.may_overlap(&range("", "2017")));
        assert!(!ongoing.certainly_within(&range("2018", "2020")));
        assert!(ongoing.certainly_within(&range("2018", "")));
        assert!(!DateRange::default().certainly_within(&range("2018", "")));
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_overflow() {
        assert!(date("9999").overlaps(&date("9999-12-31T23:59:59.999999999-12:00")));
        assert!(date("0001").overlaps(&date("0001-01-01T00:00:00+14:00")));
    }
}
