// Where the operator's processes meet a running party: `control.sock` in its data directory, mode 0600.
//
// Invariants: whoever is not the owner can connect at no moment, whatever the data directory's mode is; a
// file that a killed process left behind hinders nobody. Both come from how it is made: bound in a folder
// of mode 0700, given its mode, then renamed into its place.
//
// An address of a socket has at most 107 bytes (sun_path, unix(7)). Longer paths go by /proc/self/fd, which
// names the directory by its open descriptor.

import Foundation

/// The paths of a control socket, good as long as this value lives.
final class ControlSocket: Sendable {
  static let name = "control.sock"
  private static let staging = "control.new"
  private static let addressBytesMax = 107

  /// The address to connect to.
  var address: String { prefix + "/" + Self.name }
  /// The address to bind, to be published afterwards.
  var stagingAddress: String { prefix + "/" + Self.staging + "/socket" }

  private let prefix: String
  private let descriptor: CInt?

  init(_ directory: DataDirectory) throws {
    let whole = directory.path + "/" + Self.staging + "/socket"
    guard whole.utf8.count > Self.addressBytesMax else {
      (prefix, descriptor) = (directory.path, nil)
      return
    }
    let opened = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw Self.failure(directory.path, "cannot be opened") }
    (prefix, descriptor) = ("/proc/self/fd/\(opened)", opened)
  }

  deinit { if let descriptor { close(descriptor) } }

  /// Makes the folder in which the socket is bound.
  func prepare() throws {
    let folder = prefix + "/" + Self.staging
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.failure(folder, "cannot be made") }
    // One that is there, from a process that was killed at this point, keeps its mode only if it is ours.
    guard chmod(folder, 0o700) == 0 else { throw Self.failure(folder, "is not ours") }
  }

  /// Gives the bound socket its mode and its name, in the place of whatever was there.
  func publish() throws {
    guard chmod(stagingAddress, 0o600) == 0, rename(stagingAddress, address) == 0 else {
      throw Self.failure(address, "cannot be made")
    }
    rmdir(prefix + "/" + Self.staging)
  }

  /// Takes the socket away; the store's lock says that it is this process's.
  func remove() { unlink(address) }

  private static func failure(_ path: String, _ what: String) -> ServiceError {
    ServiceError.file(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
  }
}
