//! Dates as people write them, for every screen alike.

use super::PartialDate;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl PartialDate {
    /// The date as people write it, as precise as it was written: `2019`, `April 2019`,
    /// `27 April 2019`, `27 April 2019, 15:30:00 UTC-05:00`.
    ///
    /// ```
    /// # use subrosa_base::PartialDate;
    ///
    /// let date: PartialDate = "2019-04-27T15:30:00Z".parse()?;
    /// assert_eq!(date.in_words(), "27 April 2019, 15:30:00 UTC");
    /// assert_eq!(date.day_in_words(), "27 April 2019");
    /// # Ok::<(), subrosa_base::ParseDateError>(())
    /// ```
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.as_str().split_once('T') {
            None => day(self.as_str()),
            Some((date, clock)) => format!("{}, {}", day(date), time(clock)),
        }
    }

    /// The same without the time of day, as the place has it where it was written.
    #[must_use]
    pub fn day_in_words(&self) -> String {
        day(self.as_str().split_once('T').map_or(self.as_str(), |(date, _)| date))
    }
}

fn day(date: &str) -> String {
    let mut parts = date.split('-');
    let year = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|month| month.parse::<usize>().ok());
    let month = number.and_then(|number| MONTHS.get(number.checked_sub(1)?));
    match (month, parts.next()) {
        (Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        (Some(month), None) => format!("{month} {year}"),
        _ => date.to_owned(),
    }
}

fn time(clock: &str) -> String {
    if let Some(clock) = clock.strip_suffix('Z') {
        return format!("{clock} UTC");
    }
    match clock.find(['+', '-']).map(|at| clock.split_at(at)) {
        Some((clock, offset)) => format!("{clock} UTC{offset}"),
        None => clock.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_words_says_no_more_and_no_less_than_was_written() {
        for (text, words, day) in [
            ("2019", "2019", "2019"),
            ("0999-05", "May 0999", "May 0999"),
            ("2019-12-01", "1 December 2019", "1 December 2019"),
            ("2019-04-27T15:30", "27 April 2019, 15:30", "27 April 2019"),
            ("2019-04-27T15:30:00.250-05:00", "27 April 2019, 15:30:00.250 UTC-05:00", "27 April 2019"),
            ("2019-04-10T23:59:60Z", "10 April 2019, 23:59:60 UTC", "10 April 2019"),
        ] {
            let date: PartialDate = text.parse().unwrap();
            assert_eq!((date.in_words().as_str(), date.day_in_words().as_str()), (words, day), "{text}");
        }
    }
}
