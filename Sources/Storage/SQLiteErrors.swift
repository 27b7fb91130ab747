// SQLite's result codes as errors of this module. The only place that knows the codes.
//
// Only SQLite's own message is kept: the SQL and its arguments, which may hold secrets, are not.

internal import GRDB

extension StorageError {
  /// What an error thrown by GRDB (or by this module) means here.
  init(engine error: any Error) {
    if let known = error as? StorageError {
      self = known
      return
    }
    guard let failure = error as? DatabaseError else {
      self = .engine(code: -1, reason: "unexpected \(type(of: error))")
      return
    }
    let code = Int(failure.extendedResultCode.rawValue)
    let reason = failure.message ?? "no message"
    switch failure.resultCode {
    case .SQLITE_FULL: self = .diskFull
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
    case .SQLITE_IOERR: self = .ioFailure(code: code, reason: reason)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(reason: reason)
    case .SQLITE_CONSTRAINT: self = .constraint(reason: reason)
    case .SQLITE_READONLY: self = .readOnly
    default: self = .engine(code: code, reason: reason)
    }
  }
}
