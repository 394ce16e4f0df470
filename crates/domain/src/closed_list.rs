/// A closed list: each line is a variant, its name and, in some lists, its meaning. A variant exists only through its
/// line, so no table of the list can lack one.
///
/// Generates the enum, `ALL` in the order of the lines, `name`, `from_name`, and `about` for a list with meanings.
/// Names are stored, sent or typed: a name is never reused with another meaning.
macro_rules! closed_list {
    ($(#[$meta:meta])* pub enum $list:ident {
        $($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $list {
            $($(#[$doc])* $variant),+
        }

        impl $list {
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// `None` for a name that is not on the list of this release.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
    ($(#[$meta:meta])* pub enum $list:ident {
        $($(#[$doc:meta])* $variant:ident = $name:literal: $about:literal),+ $(,)?
    }) => {
        closed_list! {
            $(#[$meta])*
            pub enum $list {
                $($(#[$doc])* #[doc = $about] $variant = $name),+
            }
        }

        impl $list {
            /// The meaning, for the reference.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about),+
                }
            }
        }
    };
}

pub(crate) use closed_list;
