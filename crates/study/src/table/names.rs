//! Names as numbers, by first appearance.

use string_interner::backend::StringBackend;
use string_interner::symbol::SymbolU32;
use string_interner::{StringInterner, Symbol};

/// The distinct names of a column; a name costs its bytes and about twenty more.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "reader,case,truth,rating\nann,c1,0,1\nann,c2,1,3\n").unwrap();
/// let study = Study::read(&file, &ReadConfig::default())?;
/// let readers = study.scores().unwrap().readers();
/// assert_eq!((readers.len(), readers.name(0)), (1, "ann"));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Names {
    interner: StringInterner<StringBackend<SymbolU32>>,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            interner: StringInterner::new(),
        }
    }
}

impl Names {
    /// The number of the name, new or known.
    pub(crate) fn index_of(&mut self, name: &str) -> u32 {
        self.interner.get_or_intern(name).to_usize() as u32
    }

    /// The number of a known name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.interner.get(name).map(Symbol::to_usize)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.interner.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.interner.is_empty()
    }

    /// The name with a number.
    ///
    /// # Panics
    /// When there is no such number.
    pub fn name(&self, index: usize) -> &str {
        let symbol = SymbolU32::try_from_usize(index);
        let name = symbol.and_then(|symbol| self.interner.resolve(symbol));
        name.expect("names are asked for by the numbers they were given")
    }

    /// Their numbers with those of `first` at the head, the others by size where all names are
    /// numbers, else by name.
    pub(crate) fn order(&self, first: &[String]) -> Vec<usize> {
        let size = |index: usize| {
            let size = self.name(index).parse::<f64>().ok();
            size.filter(|size| size.is_finite())
        };
        let mut order: Vec<usize> = (0..self.len()).collect();
        let sizes: Option<Vec<f64>> = order.iter().map(|&index| size(index)).collect();
        match sizes {
            Some(sizes) => order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b])),
            None => order.sort_by_key(|&index| self.name(index)),
        }
        let rank = |index: &usize| first.iter().position(|name| name == self.name(*index));
        order.sort_by_key(|index| rank(index).unwrap_or(first.len()));
        order
    }

    /// All, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.interner.iter().map(|(_, name)| name)
    }
}
