// What a party finds out for a judge: which chunk of its goods is bad, and whether a token is its bank's.

import BlindTokens
import Foundation
import Messages
import Testing

@testable import Services

@Suite("Evidence from a store")
struct EvidenceExportTests {
  private static let key = [UInt8](repeating: 0x6b, count: 32)
  private static let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!

  /// Sealed goods of three chunks, changed at these places, and the contract that a merchant makes of them.
  private func goods(damagedAt places: [Int]) throws -> (path: String, p1: P1) {
    let plain = [UInt8](repeating: 7, count: 2 * Goods.chunkSize + 100)
    var stream = try GoodsStream(
      sealing: Self.key, n: Self.n, salt: [UInt8](repeating: 1, count: Goods.saltSize))
    var sealed = try plain.withUnsafeBytes { try stream.update($0) }
    sealed += try stream.finish().tail
    for place in places { sealed[place] ^= 1 }
    var check = GoodsStream(checking: .openSSL)
    _ = try sealed.withUnsafeBytes { try check.update($0) }
    let (_, root, length) = try check.finish()
    let hash = Hash(of: [])
    let party = signingKey(Actor.pseudonym).publicKey
    let p1 = P1(
      n: Self.n, hx: hash, root: root, length: length, salt: hash,
      contract: Contract(
        pseudonym: party, price: Money("EUR:1")!, expirationMax: 2, lifetime: 3, date: 1,
        descriptionHash: hash, digests: [], archives: [party], banks: [party], twoSided: false, name: ""))
    let directory = try temporaryDirectory()
    try directory.write("goods", sealed)
    return (directory.file("goods"), p1)
  }

  @Test("the first chunk that does not open is shown with its way to the root")
  func badChunk() throws {
    #expect(try chunk(goods(damagedAt: [])) == nil)
    let second = Goods.headerSize + Goods.sealedChunkSize + 9
    let last = Goods.headerSize + 2 * Goods.sealedChunkSize + 9
    #expect(try chunk(goods(damagedAt: [second]))?.index == 1)
    #expect(try chunk(goods(damagedAt: [last, second]))?.index == 1)
    #expect(try chunk(goods(damagedAt: [last]))?.index == 2)
    #expect(try chunk(goods(damagedAt: [40]))?.index == 0, "the header commits to another key")
  }

  private func chunk(_ goods: (path: String, p1: P1)) throws -> GoodsChunkProof? {
    let proof = try Wallet.badChunk(goods.path, key: Self.key, goods.p1.n, goods.p1.goods!)
    guard let proof else { return nil }
    let claim = GoodsClaim(root: goods.p1.root, length: goods.p1.length)
    #expect(proof.holds(for: claim) && !proof.opens(key: Self.key, n: Self.n))
    #expect(GoodsChunkProof(encoded: proof.encoded) == proof)
    return proof
  }

  @Test("goods that are not the contract's are nothing to complain of")
  func otherGoods() throws {
    var (path, p1) = try goods(damagedAt: [5000])
    p1.root = Hash(of: [1])
    #expect(try Wallet.badChunk(path, key: Self.key, p1.n, p1.goods!) == nil)
    p1.length += 1
    #expect(try Wallet.badChunk(path, key: Self.key, p1.n, p1.goods!) == nil)
  }

  @Test("a token holds under the key that signed it, and no other value's name")
  func token() throws {
    let signer = try BlindSigningKey.generate(.bits2048)
    let key = try signer.publicKey(currency: "EUR", value: 8)
    let bank = signingKey(Actor.bank).publicKey
    let owner = signingKey(Actor.pseudonym).publicKey
    let id = Hash.token(key: owner, serial: Hash(of: [1]))
    let blinded = try key.blind(message: id.bytes)
    let signature = try key.finalize(
      blindSignature: signer.sign(blinded: blinded.blinded), inverse: blinded.inverse, message: id.bytes)
    var token = Token(
      bank: bank, key: owner, serial: Hash(of: [1]), keyID: Hash(key.keyID)!, signature: signature,
      issuer: bank)
    var denomination = Denomination(
      value: Money("EUR:0.08")!, id: Hash(key.keyID)!, modulus: key.modulus, issueFrom: 1, issueUntil: 2,
      spendUntil: 3)
    #expect(token.holds(under: denomination))
    denomination.value = Money("EUR:8.00")!
    #expect(!token.holds(under: denomination), "the name of another value")
    denomination.value = Money("EUR:0.08")!
    token.serial = Hash(of: [2])
    #expect(!token.holds(under: denomination), "another serial")
  }
}
