//! Calls of the C library that the `guestfs` crate lacks or offers only for text: the one file with `unsafe`.
//!
//! The crate takes and gives `&str`, so one file name that is no UTF-8 would make a whole folder unreadable, and it has
//! no way to keep the library from printing errors on stderr, over the screen. Here names are bytes. Every function takes
//! the crate's own handle, which is neither `Send` nor `Sync`, so all calls stay on the thread that made it.
#![expect(unsafe_code, reason = "the C library is called here and nowhere else")]

use super::answer::{Failure, Stat};
use guestfs::Handle;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

#[repr(C)]
struct RawHandle {
    _opaque: [u8; 0],
}

/// `struct guestfs_statns` of guestfs.h: 22 numbers of 64 bits.
#[repr(C)]
struct RawStat {
    dev: i64,
    ino: i64,
    mode: i64,
    nlink: i64,
    uid: i64,
    gid: i64,
    rdev: i64,
    size: i64,
    blksize: i64,
    blocks: i64,
    atime: [i64; 2],
    mtime: [i64; 2],
    ctime: [i64; 2],
    spare: [i64; 6],
}

#[repr(C)]
struct RawStatList {
    len: u32,
    val: *mut RawStat,
}

type ErrorHandler = unsafe extern "C" fn(*mut RawHandle, *mut c_void, *const c_char);

#[link(name = "guestfs")]
unsafe extern "C" {
    fn guestfs_set_error_handler(g: *mut RawHandle, cb: Option<ErrorHandler>, opaque: *mut c_void);
    fn guestfs_last_error(g: *mut RawHandle) -> *const c_char;
    fn guestfs_last_errno(g: *mut RawHandle) -> c_int;
    fn guestfs_lstatnslist(
        g: *mut RawHandle,
        path: *const c_char,
        names: *const *const c_char,
    ) -> *mut RawStatList;
    fn guestfs_free_statns_list(list: *mut RawStatList);
    fn guestfs_readlinklist(
        g: *mut RawHandle,
        path: *const c_char,
        names: *const *const c_char,
    ) -> *mut *mut c_char;
    fn guestfs_pread(
        g: *mut RawHandle,
        path: *const c_char,
        count: c_int,
        offset: i64,
        size: *mut usize,
    ) -> *mut c_char;
    fn guestfs_debug(
        g: *mut RawHandle,
        command: *const c_char,
        args: *const *const c_char,
    ) -> *mut c_char;
    fn guestfs_write(
        g: *mut RawHandle,
        path: *const c_char,
        content: *const c_char,
        size: usize,
    ) -> c_int;
    fn guestfs_find0(g: *mut RawHandle, folder: *const c_char, list: *const c_char) -> c_int;
    fn guestfs_upload(g: *mut RawHandle, from: *const c_char, to: *const c_char) -> c_int;
    fn guestfs_download(g: *mut RawHandle, from: *const c_char, to: *const c_char) -> c_int;
    fn guestfs_rm_f(g: *mut RawHandle, path: *const c_char) -> c_int;
    fn guestfs_rmdir(g: *mut RawHandle, path: *const c_char) -> c_int;
    fn guestfs_rm_rf(g: *mut RawHandle, path: *const c_char) -> c_int;
    fn guestfs_mkdir_p(g: *mut RawHandle, path: *const c_char) -> c_int;
    fn guestfs_ln_sf(g: *mut RawHandle, target: *const c_char, link: *const c_char) -> c_int;
    fn guestfs_mv(g: *mut RawHandle, from: *const c_char, to: *const c_char) -> c_int;
    fn free(memory: *mut c_void);
}

/// Calls that take one path and answer only whether it worked.
#[derive(Debug, Clone, Copy)]
pub(super) enum OnPath {
    /// Removes a file; no error when there is none.
    Remove,
    /// Removes an empty folder.
    RemoveFolder,
    /// Removes a folder and all below it.
    RemoveTree,
    /// Makes a folder and its parents.
    MakeFolders,
}

/// Calls that take two paths and answer only whether it worked.
#[derive(Debug, Clone, Copy)]
pub(super) enum OnTwo {
    /// Makes a symlink: target, then the link's path; replaces what is there.
    Link,
    /// Renames: from, to.
    Rename,
    /// Copies a host's file into the guest: host's path, guest's path.
    Upload,
    /// Copies a guest's file out: guest's path, host's path.
    Download,
    /// Writes the NUL-separated names below a guest's folder into a host's file.
    Find,
}

fn raw(handle: &Handle) -> *mut RawHandle {
    const { assert!(size_of::<Handle>() == size_of::<*mut RawHandle>()) };
    // SAFETY: the crate's Handle is exactly one field, the C library's pointer, and the sizes were compared above.
    unsafe { *ptr::from_ref(handle).cast::<*mut RawHandle>() }
}

/// Keeps the library from printing errors on stderr; holds for this handle on this thread.
pub(super) fn silence(handle: &Handle) {
    // SAFETY: the handle is alive while it is borrowed; no handler and no data is allowed by guestfs(3).
    unsafe { guestfs_set_error_handler(raw(handle), None, ptr::null_mut()) }
}

/// The last call's failure on this thread.
pub(super) fn last_failure(handle: &Handle) -> Failure {
    // SAFETY: the handle is alive; the text, if any, is a C string that stays valid until the next call.
    unsafe {
        let text = guestfs_last_error(raw(handle));
        Failure {
            errno: guestfs_last_errno(raw(handle)),
            text: if text.is_null() {
                b"unknown error".to_vec()
            } else {
                CStr::from_ptr(text).to_bytes().to_vec()
            },
        }
    }
}

fn c_string(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes).map_err(|_| Failure {
        errno: 22,
        text: b"a name with a NUL byte".to_vec(),
    })
}

/// Strings in the shape that the library wants: pointers, then a null.
struct Strings {
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    fn new(names: &[&[u8]]) -> Result<Self, Failure> {
        let owned: Vec<CString> = names
            .iter()
            .map(|name| c_string(name))
            .collect::<Result<_, _>>()?;
        let mut pointers: Vec<*const c_char> = owned.iter().map(|name| name.as_ptr()).collect();
        pointers.push(ptr::null());
        Ok(Self {
            _owned: owned,
            pointers,
        })
    }
}

fn answer(handle: &Handle, code: c_int) -> Result<(), Failure> {
    if code == -1 {
        Err(last_failure(handle))
    } else {
        Ok(())
    }
}

/// Takes a block of memory that the library gave away.
///
/// # Safety
/// `memory` must come from malloc and hold `len` bytes.
unsafe fn take(memory: *mut c_char, len: usize) -> Vec<u8> {
    // SAFETY: as promised by the caller.
    unsafe {
        let bytes = std::slice::from_raw_parts(memory.cast::<u8>(), len).to_vec();
        free(memory.cast());
        bytes
    }
}

/// `lstat` of names in one folder, in the order of `names`; `None` for a name that cannot be looked at.
pub(super) fn lstat_list(
    handle: &Handle,
    folder: &[u8],
    names: &[&[u8]],
) -> Result<Vec<Option<Stat>>, Failure> {
    let folder = c_string(folder)?;
    let names = Strings::new(names)?;
    // SAFETY: all pointers live through the call; the list is the library's, read within its length and then freed.
    unsafe {
        let list = guestfs_lstatnslist(raw(handle), folder.as_ptr(), names.pointers.as_ptr());
        if list.is_null() {
            return Err(last_failure(handle));
        }
        let all = if (*list).val.is_null() {
            Vec::new()
        } else {
            std::slice::from_raw_parts((*list).val, (*list).len as usize)
                .iter()
                .map(stat)
                .collect()
        };
        guestfs_free_statns_list(list);
        Ok(all)
    }
}

fn stat(raw: &RawStat) -> Option<Stat> {
    (raw.ino != -1).then(|| Stat {
        device: raw.dev.cast_unsigned(),
        inode: raw.ino.cast_unsigned(),
        mode: raw.mode.cast_unsigned() as u32,
        links: raw.nlink.cast_unsigned(),
        uid: raw.uid.cast_unsigned() as u32,
        gid: raw.gid.cast_unsigned() as u32,
        size: u64::try_from(raw.size).unwrap_or(0),
        blocks: u64::try_from(raw.blocks).unwrap_or(0),
        modified: raw.mtime[0],
    })
}

/// Targets of symlinks in one folder, in the order of `names`; empty for what is no link.
pub(super) fn readlink_list(
    handle: &Handle,
    folder: &[u8],
    names: &[&[u8]],
) -> Result<Vec<Vec<u8>>, Failure> {
    let folder = c_string(folder)?;
    let names = Strings::new(names)?;
    // SAFETY: all pointers live through the call; the answer is a null-terminated array of C strings, all malloced.
    unsafe {
        let list = guestfs_readlinklist(raw(handle), folder.as_ptr(), names.pointers.as_ptr());
        if list.is_null() {
            return Err(last_failure(handle));
        }
        let mut targets = Vec::new();
        let mut at = list;
        while !(*at).is_null() {
            targets.push(take(*at, CStr::from_ptr(*at).to_bytes().len()));
            at = at.add(1);
        }
        free(list.cast());
        Ok(targets)
    }
}

/// Up to `count` bytes of a file from `offset` on.
pub(super) fn pread(
    handle: &Handle,
    path: &[u8],
    count: i32,
    offset: i64,
) -> Result<Vec<u8>, Failure> {
    let path = c_string(path)?;
    let mut size = 0;
    // SAFETY: all pointers live through the call; the answer is `size` malloced bytes.
    unsafe {
        let bytes = guestfs_pread(raw(handle), path.as_ptr(), count, offset, &raw mut size);
        if bytes.is_null() {
            return Err(last_failure(handle));
        }
        Ok(take(bytes, size))
    }
}

/// Runs the library's internal `debug` call; its answer is text up to the first NUL.
pub(super) fn debug(handle: &Handle, command: &[u8], args: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    let command = c_string(command)?;
    let args = Strings::new(args)?;
    // SAFETY: all pointers live through the call; the answer is one malloced C string.
    unsafe {
        let text = guestfs_debug(raw(handle), command.as_ptr(), args.pointers.as_ptr());
        if text.is_null() {
            return Err(last_failure(handle));
        }
        Ok(take(text, CStr::from_ptr(text).to_bytes().len()))
    }
}

/// Writes a whole file.
pub(super) fn write(handle: &Handle, path: &[u8], content: &[u8]) -> Result<(), Failure> {
    let path = c_string(path)?;
    // SAFETY: both blocks live through the call and the length is the content's.
    let code = unsafe {
        guestfs_write(
            raw(handle),
            path.as_ptr(),
            content.as_ptr().cast(),
            content.len(),
        )
    };
    answer(handle, code)
}

/// Does one of the calls on a single path.
pub(super) fn on_path(handle: &Handle, call: OnPath, path: &[u8]) -> Result<(), Failure> {
    let path = c_string(path)?;
    let call = match call {
        OnPath::Remove => guestfs_rm_f,
        OnPath::RemoveFolder => guestfs_rmdir,
        OnPath::RemoveTree => guestfs_rm_rf,
        OnPath::MakeFolders => guestfs_mkdir_p,
    };
    // SAFETY: the path lives through the call; all four have this signature in guestfs.h.
    answer(handle, unsafe { call(raw(handle), path.as_ptr()) })
}

/// Does one of the calls on two paths.
pub(super) fn on_two(
    handle: &Handle,
    call: OnTwo,
    first: &[u8],
    second: &[u8],
) -> Result<(), Failure> {
    let (first, second) = (c_string(first)?, c_string(second)?);
    let call = match call {
        OnTwo::Link => guestfs_ln_sf,
        OnTwo::Rename => guestfs_mv,
        OnTwo::Upload => guestfs_upload,
        OnTwo::Download => guestfs_download,
        OnTwo::Find => guestfs_find0,
    };
    // SAFETY: both paths live through the call; all five have this signature in guestfs.h.
    answer(handle, unsafe {
        call(raw(handle), first.as_ptr(), second.as_ptr())
    })
}

/// A host's path as the library takes it.
pub(super) fn host_path(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
