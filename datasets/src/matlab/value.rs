//! Values of MATLAB: what a variable, a field or a cell holds.

/// An array of MATLAB. Elements are column-major; `dims` has at least two entries, and their product is the number
/// of elements. An absent value is the empty 0x0 numeric array, as MATLAB has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Real numbers.
    Numeric {
        /// Size along each dimension.
        dims: Vec<usize>,
        /// The elements, in the type of the array's class.
        numbers: Numbers,
    },
    /// Truth values.
    Logical {
        /// Size along each dimension.
        dims: Vec<usize>,
        /// The elements.
        values: Vec<bool>,
    },
    /// Text, one UTF-16 code unit an element; a string is a 1xN array.
    Char {
        /// Size along each dimension, in code units.
        dims: Vec<usize>,
        /// The elements.
        units: Vec<u16>,
    },
    /// Values of any class.
    Cell {
        /// Size along each dimension.
        dims: Vec<usize>,
        /// The elements.
        values: Vec<Value>,
    },
    /// Elements that share one list of fields.
    Struct(Structs),
}

/// A struct array.
#[derive(Debug, Clone, PartialEq)]
pub struct Structs {
    /// Size along each dimension.
    pub dims: Vec<usize>,
    /// Field names, in the file's order.
    pub fields: Vec<String>,
    /// The values: all fields of the first element, then all of the second, ...
    pub values: Vec<Value>,
}

impl Structs {
    /// How many elements the array has.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of field `name` of element `row`, from 0; `None` where there is no such field or element.
    pub fn field(&self, row: usize, name: &str) -> Option<&Value> {
        let column = self.fields.iter().position(|field| field == name)?;
        if row < self.len() { self.values.get(row * self.fields.len() + column) } else { None }
    }
}

macro_rules! numbers {
    ($($class:ident $type:ty, $name:literal;)+) => {
        /// Numbers in the type of their class.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Numbers {
            $(#[doc = concat!("Class `", $name, "`.")] $class(Vec<$type>),)+
        }

        impl Numbers {
            /// How many there are.
            pub fn len(&self) -> usize {
                match self { $(Self::$class(values) => values.len(),)+ }
            }

            /// MATLAB's name of the class.
            pub fn class_name(&self) -> &'static str {
                match self { $(Self::$class(_) => $name,)+ }
            }

            /// Number `index` as `f64`; 64-bit integers beyond 2^53 are rounded.
            pub fn get(&self, index: usize) -> Option<f64> {
                match self { $(Self::$class(values) => values.get(index).map(|value| *value as f64),)+ }
            }

            /// All numbers as `f64`; 64-bit integers beyond 2^53 are rounded.
            pub fn to_f64s(&self) -> Vec<f64> {
                match self { $(Self::$class(values) => values.iter().map(|value| *value as f64).collect(),)+ }
            }
        }

        $(impl From<Vec<$type>> for Numbers {
            fn from(values: Vec<$type>) -> Self {
                Self::$class(values)
            }
        })+
    };
}

numbers! {
    Double f64, "double";
    Single f32, "single";
    Int8 i8, "int8";
    UInt8 u8, "uint8";
    Int16 i16, "int16";
    UInt16 u16, "uint16";
    Int32 i32, "int32";
    UInt32 u32, "uint32";
    Int64 i64, "int64";
    UInt64 u64, "uint64";
}

impl Numbers {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Value {
    /// The empty 0x0 array.
    pub fn empty() -> Self {
        Self::Numeric { dims: vec![0, 0], numbers: Numbers::Double(Vec::new()) }
    }

    /// A number as MATLAB's `double`.
    pub fn scalar(number: f64) -> Self {
        Self::array(&[1, 1], vec![number])
    }

    /// An array of the numbers' class; column-major.
    ///
    /// ```
    /// use datasets::matlab::Value;
    /// let head = Value::array(&[1, 2], vec![3_u8, 4]);
    /// assert_eq!(head.shape(), "uint8 1x2");
    /// ```
    pub fn array(dims: &[usize], numbers: impl Into<Numbers>) -> Self {
        Self::Numeric { dims: dims.to_vec(), numbers: numbers.into() }
    }

    /// A 1xN string.
    pub fn text(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        let rows = usize::from(!units.is_empty());
        Self::Char { dims: vec![rows, units.len()], units }
    }

    /// A cell array; column-major.
    pub fn cell(dims: &[usize], values: Vec<Self>) -> Self {
        Self::Cell { dims: dims.to_vec(), values }
    }

    /// A struct array of `dims`, whose elements each have one value per field; column-major.
    pub fn structs(dims: &[usize], fields: &[&str], elements: impl IntoIterator<Item = Vec<Self>>) -> Self {
        Self::Struct(Structs {
            dims: dims.to_vec(),
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
            values: elements.into_iter().flatten().collect(),
        })
    }

    /// A 1x1 struct.
    pub fn record<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let (fields, values) = members.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip();
        Self::Struct(Structs { dims: vec![1, 1], fields, values })
    }

    /// Size along each dimension.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Numeric { dims, .. }
            | Self::Logical { dims, .. }
            | Self::Char { dims, .. }
            | Self::Cell { dims, .. }
            | Self::Struct(Structs { dims, .. }) => dims,
        }
    }

    /// Whether some dimension is zero.
    pub fn is_empty(&self) -> bool {
        self.dims().contains(&0)
    }

    /// MATLAB's name of the class.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Numeric { numbers, .. } => numbers.class_name(),
            Self::Logical { .. } => "logical",
            Self::Char { .. } => "char",
            Self::Cell { .. } => "cell",
            Self::Struct(_) => "struct",
        }
    }

    /// Class and size in words, such as `double 3x14x2000`.
    pub fn shape(&self) -> String {
        let sizes: Vec<String> = self.dims().iter().map(usize::to_string).collect();
        format!("{} {}", self.class_name(), sizes.join("x"))
    }

    /// Field `name` of element `row`, from 0, of a struct array.
    pub fn field(&self, row: usize, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(structs) => structs.field(row, name),
            _ => None,
        }
    }

    /// The numbers or truth values of the array, column-major; `None` for other classes.
    pub fn as_f64s(&self) -> Option<Vec<f64>> {
        match self {
            Self::Numeric { numbers, .. } => Some(numbers.to_f64s()),
            Self::Logical { values, .. } => {
                Some(values.iter().map(|value| f64::from(u8::from(*value))).collect())
            }
            _ => None,
        }
    }

    /// The one number of a 1x1 numeric or logical array.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Numeric { numbers, .. } if numbers.len() == 1 => numbers.get(0),
            Self::Logical { values, .. } if values.len() == 1 => Some(f64::from(u8::from(values[0]))),
            _ => None,
        }
    }

    /// The text of a char array of at most one row; `None` for other classes and several rows.
    pub fn as_str(&self) -> Option<String> {
        match self {
            Self::Char { dims, units } if units.is_empty() || dims[0] == 1 => {
                Some(String::from_utf16_lossy(units))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_element_and_name() {
        let value = Value::structs(
            &[1, 2],
            &["x", "y"],
            [vec![Value::scalar(1.0), Value::scalar(2.0)], vec![Value::empty(), Value::text("ä")]],
        );
        assert_eq!(value.field(0, "y").unwrap().as_f64(), Some(2.0));
        assert_eq!(value.field(1, "y").unwrap().as_str().as_deref(), Some("ä"));
        assert!(value.field(1, "x").unwrap().is_empty());
        assert!(value.field(2, "x").is_none() && value.field(0, "z").is_none());
        assert_eq!(value.shape(), "struct 1x2");
    }
}
