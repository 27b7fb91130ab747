// The forms that the core protocol's evidence takes when somebody forges it, shared by the tests of several
// rules: a lock and its commit with one thing wrong.

import Messages

/// Locks and commits of which one is not what it has to be. None of them obliges a bank.
func forgedCommits(_ sale: Sale) throws -> [(name: String, files: [[UInt8]])] {
  let p3 = try sale.p3()
  let p5a = try sale.p5a()
  var result: [(String, [[UInt8]])] = [
    ("P3 alone", [p3.bytes]), ("P5a alone", [p5a.bytes]),
    ("P3 by a stranger", [try sale.p3(by: .stranger).bytes, p5a.bytes]),
    ("P3 by another bank", [try sale.p3(by: .otherBank).bytes, p5a.bytes]),
    ("P3 by the merchant", [try sale.p3(by: .merchant).bytes, p5a.bytes]),
    ("P5a by a stranger", [p3.bytes, try sale.p5a(by: .stranger).bytes]),
    ("P5a by another archive", [p3.bytes, try sale.p5a(by: .otherArchive).bytes]),
    ("P5a by the bank", [p3.bytes, try sale.p5a(by: .bank).bytes]),
    ("P4 by a stranger", [p3.bytes, try sale.p5a(sale.p4(by: .stranger)).bytes]),
    ("P4 by another merchant", [p3.bytes, try sale.p5a(sale.p4(by: .otherMerchant)).bytes]),
    ("P5a at the expiration", [p3.bytes, try sale.p5a { $0.at = Times.expiration }.bytes]),
    ("P5a with another lifetime", [p3.bytes, try sale.p5a { $0.lifetime += 1 }.bytes]),
  ]
  for change in changedTerms {
    result.append(("P3.\(change.name)", [try sale.p3(change.body).bytes, p5a.bytes]))
    // The same with a commit that names the changed lock: M and A would have to take part, and M's own
    // contract does not.
    guard ["hx", "A"].contains(change.name) else { continue }
    let other = try sale.p3(change.body)
    result.append(("\(change.name), committed", [other.bytes, try sale.p5a(sale.p4(other)).bytes]))
  }
  for change in changedP4 {
    result.append(("P4.\(change.name)", [p3.bytes, try sale.p5a(sale.p4(nil, change.body)).bytes]))
  }
  // Messages of another mode with the same content.
  let e3 = try Actor.bank.sign(E3(terms: sale.terms()))
  result.append(("E3 for P3", [e3.bytes, p5a.bytes]))
  let crossed = try sale.p4 { $0.lock = e3.hash }
  result.append(("E3 with a core commit", [e3.bytes, try sale.p5a(crossed).bytes]))
  let e6 = try Actor.merchant.sign(
    E6(
      n: sale.n, expiration: Times.expiration, hP1: p3.payload.terms.hP1, lock: p3.hash, key: Ware.k,
      hE4: digest(1), delivery: .acknowledged))
  let e7a = try Actor.archive.sign(E7a(submission: e6.bytes, at: Times.now + 20, lifetime: Times.lifetime))
  result.append(("E7a for P5a", [p3.bytes, e7a.bytes]))
  return result
}
