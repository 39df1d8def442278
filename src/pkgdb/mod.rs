//! pkgdb
