//! [`PrintedTable`]: one table of the paper.

/// A table as printed: a row a network, a column a quantity.
#[derive(Debug)]
pub struct PrintedTable {
    pub number: usize,
    /// The caption.
    pub title: &'static str,
    /// Each column's name, and the unit of its numbers.
    pub columns: &'static [(&'static str, &'static str)],
    pub rows: &'static [Row],
}

/// One network's numbers, in the order of the columns.
#[derive(Debug)]
pub struct Row {
    /// The key in [`MODELS`](crate::nn::models::MODELS).
    pub network: &'static str,
    pub values: &'static [f64],
}

impl PrintedTable {
    /// The number printed for this network in the column of this name.
    ///
    /// ```
    /// use gdstar::experiment::reported::TABLE2;
    /// assert_eq!(TABLE2.value("lenet300", "gdstar"), Some(98.29));
    /// assert_eq!(TABLE2.value("resnet50", "gdstar"), None);
    /// ```
    pub fn value(&self, network: &str, column: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.network == network)?;
        let at = self.columns.iter().position(|(name, _)| *name == column)?;
        row.values.get(at).copied()
    }

    /// The numbers of a column, downwards; none where there is no such column.
    pub fn column(&self, column: &str) -> Vec<f64> {
        self.rows.iter().filter_map(|row| self.value(row.network, column)).collect()
    }

    /// Where its numbers stand.
    pub fn place(&self) -> String {
        format!("Table {}", self.number)
    }

    /// Its networks, downwards.
    pub fn networks(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows.iter().map(|row| row.network)
    }
}
