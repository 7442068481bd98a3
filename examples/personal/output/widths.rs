//! How wide the columns of a list are, so that words stay whole.

use subrosa::release::columns;

/// Longest word that a column makes room for: a longer one is broken.
const LONGEST: usize = 24;
/// Columns beside the content of each cell.
const PADDING: usize = 2;

/// What a list consists of.
pub(crate) struct Shape {
    /// The column that says what a row is about: it gets the room.
    pub(crate) main: usize,
    /// The widest that other columns get.
    pub(crate) widest: usize,
    /// Columns that go below the main one where there is no room beside it, the first first.
    pub(crate) folding: &'static [usize],
}

/// A list whose columns fit.
pub(super) struct Fitted<'a> {
    pub(super) header: Vec<&'a str>,
    pub(super) rows: Vec<Vec<String>>,
    /// Columns of the content of each, or none where words have to be broken.
    pub(super) widths: Option<Vec<usize>>,
}

impl<'a> Fitted<'a> {
    /// A list for this many columns: as much of it beside each other as there is room for.
    pub(super) fn of(header: &[&'a str], rows: Vec<Vec<String>>, shape: &Shape, room: usize) -> Self {
        let mut fitted = Self { header: header.to_vec(), rows, widths: None };
        let (mut main, mut folding) = (shape.main, shape.folding.to_vec());
        loop {
            fitted.widths = fitted.fit(main, shape.widest, room);
            if fitted.widths.is_some() || folding.is_empty() {
                return fitted;
            }
            let folded = folding.remove(0);
            fitted.fold(folded, main);
            let moved = |column: &mut usize| *column -= usize::from(*column > folded);
            folding.iter_mut().for_each(moved);
            moved(&mut main);
        }
    }

    /// Puts a column below another one.
    fn fold(&mut self, column: usize, main: usize) {
        self.header.remove(column);
        for row in &mut self.rows {
            let cell = row.get(column).cloned().unwrap_or_default();
            if let Some(main) = row.get_mut(main).filter(|_| !cell.is_empty()) {
                main.push_str(&format!("\n{cell}"));
            }
            row.remove(column);
        }
    }

    /// The widths, if every word fits. The first and the last column, dates and ids, are as
    /// wide as their content.
    fn fit(&self, main: usize, widest: usize, room: usize) -> Option<Vec<usize>> {
        let count = self.header.len();
        let of_cells = |column: usize, measure: fn(&str) -> usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| measure(cell));
            cells.chain(self.header.get(column).map(|name| columns(name))).max().unwrap_or_default()
        };
        let mut widths: Vec<usize> = (0..count)
            .map(|column| match column == 0 || column + 1 == count {
                true => of_cells(column, whole),
                false => of_cells(column, longest_word),
            })
            .collect();
        let mut left = room.checked_sub(widths.iter().sum::<usize>() + PADDING * count)?;
        let mut widen = |column: usize, most: usize| {
            let Some(width) = widths.get_mut(column) else { return };
            let more = most.min(of_cells(column, whole)).saturating_sub(*width).min(left);
            (*width, left) = (*width + more, left - more);
        };
        widen(main, 2 * LONGEST);
        (1..count.saturating_sub(1))
            .filter(|column| *column != main)
            .for_each(|column| widen(column, widest));
        widen(main, usize::MAX);
        Some(widths)
    }
}

fn whole(cell: &str) -> usize {
    cell.lines().map(columns).max().unwrap_or_default()
}

fn longest_word(cell: &str) -> usize {
    cell.split_whitespace().map(columns).max().unwrap_or_default().min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { main: 1, widest: 14, folding: &[3, 2] };

    fn fitted(room: usize) -> Fitted<'static> {
        let row = [
            "1 May 2021",
            "Hydrochlorothiazide 25 MG Oral Tablet",
            "RxNorm 310798",
            "Dr. Featherstone",
            "ab",
        ];
        let row = row.map(str::to_owned).to_vec();
        Fitted::of(&["Date", "What", "Code", "From", "Id"], vec![row], &SHAPE, room)
    }

    #[test]
    fn every_word_fits_or_columns_go_below_the_main_one() {
        let wide = fitted(120);
        assert_eq!(wide.widths, Some(vec![10, 37, 13, 14, 2]));
        assert_eq!(fitted(64).widths, Some(vec![10, 24, 6, 12, 2]));
        let narrow = fitted(56);
        assert_eq!(narrow.header, ["Date", "What", "Code", "Id"]);
        assert_eq!(narrow.rows[0][1], "Hydrochlorothiazide 25 MG Oral Tablet\nDr. Featherstone");
        assert_eq!(fitted(40).header, ["Date", "What", "Id"]);
        assert_eq!(fitted(20).widths, None);
    }
}
