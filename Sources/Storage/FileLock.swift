// Keeps a store to one process, and its files to one user.
//
// The lock is flock(2) on a side file, never on the database itself: closing any descriptor of the database
// would drop the POSIX locks that SQLite holds on it. It goes with its descriptor, so a crash leaves none
// behind. The side file stays; removing it would let two processes lock two files of one name.

internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// An exclusive lock, held until released or deallocated.
final class FileLock: Sendable {
  private let descriptor: Mutex<CInt?>

  /// Takes the lock `path`, creating the file (mode 0600) if need be.
  /// - Throws: `.inUse` naming `path` when it is held, in this process or another; `.cannotOpen`.
  init(path: String) throws(StorageError) {
    let opened = try openPrivate(path)
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let cause = errno
      _ = close(opened)
      if cause == EWOULDBLOCK { throw .inUse(path: path) }
      throw .cannotOpen(path: path, reason: errorText(cause))
    }
    descriptor = Mutex(opened)
  }

  deinit { release() }

  /// Gives the lock back; harmless when done before.
  func release() {
    let held = descriptor.withLock { current in
      let taken = current
      current = nil
      return taken
    }
    guard let held else { return }
    // Said outright: a child process between fork and exec still has the descriptor, and with it the lock.
    _ = flock(held, LOCK_UN)
    _ = close(held)
  }
}

/// Makes sure the file `path` exists, belongs to its user alone, and has a durable name in its folder.
/// - Returns: its size in bytes, 0 if it is new.
func preparePrivateFile(_ path: String) throws(StorageError) -> Int {
  let opened = try openPrivate(path)
  defer { _ = close(opened) }
  var status = stat()
  guard fstat(opened, &status) == 0 else {
    throw .cannotOpen(path: path, reason: errorText(errno))
  }
  try synchroniseFolder(of: path)
  return Int(status.st_size)
}

/// The path with links and dots resolved, so that one file has one lock; `path` itself if it names nothing.
func resolved(_ path: String) -> String {
  guard let real = realpath(path, nil) else { return path }
  defer { free(real) }
  return String(cString: real)
}

private func openPrivate(_ path: String) throws(StorageError) -> CInt {
  let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
  guard opened >= 0 else { throw .cannotOpen(path: path, reason: errorText(errno)) }
  // A file that is there already may have been made with a wider mode.
  guard fchmod(opened, 0o600) == 0 else {
    let cause = errno
    _ = close(opened)
    throw .cannotOpen(path: path, reason: errorText(cause))
  }
  return opened
}

private func synchroniseFolder(of path: String) throws(StorageError) {
  var folder = "."
  if let slash = path.lastIndex(of: "/") {
    folder = slash == path.startIndex ? "/" : String(path[..<slash])
  }
  let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard opened >= 0 else { throw .cannotOpen(path: folder, reason: errorText(errno)) }
  defer { _ = close(opened) }
  guard fsync(opened) == 0 else { throw .cannotOpen(path: folder, reason: errorText(errno)) }
}

private func errorText(_ code: CInt) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}
