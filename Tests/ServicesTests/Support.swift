// What these tests share: temporary directories, keys from numbers, one way to peers that is never used.

import Foundation
import Messages

@testable import Services

/// A fresh directory under the system's temporary one.
func temporaryDirectory() throws -> DataDirectory {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("acd-test-\(UUID().uuidString)")
  let directory = DataDirectory(path.path)
  try directory.create()
  return directory
}

/// The key of this number, always the same.
func signingKey(_ number: UInt8) -> SigningKey {
  var seed = [UInt8](repeating: number, count: 32)
  return SigningKey(seed: &seed)
}

/// The public half of the key of this number.
func publicKey(_ number: UInt8) -> PublicKey { signingKey(number).publicKey }

/// So many cents.
func euros(_ cents: UInt64) -> Money { Money(currency: "EUR", amount: cents)! }

/// Random bytes.
func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return randomBytes(count, using: &generator)
}

/// A transport for nodes that send nothing. It lives as long as the process: a client that is let go has to
/// be shut down first.
let idleTransport: Transport = {
  do {
    let directory = try temporaryDirectory()
    _ = try LocalAuthority.loadOrCreate(directory)
    return try Transport(caPEM: directory.read("ca.pem"))
  } catch { fatalError("no transport for tests: \(error)") }
}()
