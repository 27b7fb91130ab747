// Withdrawing, exchanging and counting (US 6,076,078, FIG. 1; docs/SPEC.md, "Money").

import BlindTokens
import Foundation
public import Messages
import Storage

/// What a wallet holds.
public struct WalletBalance: Codable, Equatable, Sendable {
  /// The archive that these tokens are bound to, by name: they pay invoices there. Nil: they pay anything
  /// else.
  public var archive: String?
  /// True where the tokens' keys are on a card.
  public var card: Bool?
  /// Free to spend, "EUR:12.34"; and held by purchases on their way.
  public var available: String
  public var held: String
  public var tokens: Int
  /// When the first tokens end; exchange them before.
  public var firstExpiry: Timestamp?
}

extension Verified<KeyList> {
  /// Whether a bank that showed `last` may show this list now. Lists between the two may be missing.
  func follows(_ last: Verified<KeyList>) -> Bool {
    if self == last { return true }
    guard signer == last.signer, payload.sequence > last.payload.sequence else { return false }
    return payload.sequence > last.payload.sequence + 1 || payload.previous == last.hash
  }
}

extension Wallet {
  /// The bank's key list, checked against the bank's key and against the last one seen: a bank that shows
  /// each customer keys of his own could recognise his tokens, so two lists of one number are proof
  /// against it, and are kept.
  func keyList(_ bank: TrustEntry) async throws -> KeyList {
    let reply = try await transport.send("GET", url: bank.url! + "/v1/keys", body: nil, contentType: nil)
    guard reply.status == 200 else { throw ServiceError.unreachable("\(bank.name) has no key list for us") }
    let list = try Verified<KeyList>(reply.body, by: .key(bank.key))
    let follows = try await store.write { tx -> Bool in
      let seen = try tx.messages(kind: "keys", key: bank.key.bytes).last
      let last = try seen.map { try Verified<KeyList>(stored: $0.bytes) }
      if last != list {
        try tx.append(kind: "keys", key: bank.key.bytes, label: "KeyList", bytes: list.bytes)
      }
      return last.map(list.follows) ?? true
    }
    guard follows else {
      throw ServiceError.protocolViolation(
        "\(bank.name)'s key list does not follow the last one: it may mark your tokens; both lists are kept")
    }
    return list.payload
  }

  /// Most outputs of one order: W1 and W2 together have to fit into an account answer.
  private static let outputsPerOrder = 24

  /// Withdraws an amount as tokens. With `reuseKey` all tokens of an order share one key: fewer
  /// signatures when paying, but whoever sees them together knows that they belong together.
  /// With `archive` the tokens are bound to that archive: they pay invoices there and nothing else. With
  /// `place` they are usable at that bank, which their issuer owes for them.
  public func withdraw(
    _ amount: Money, bank bankName: String?, reuseKey: Bool = false, archive: String? = nil,
    usableAt place: String? = nil, onCard: Bool = false
  ) async throws {
    let bank = try party(.bank, named: bankName)
    let bound = try archive.map { try boundTo($0) }
    let usableAt = try place.map { try party(.bank, named: $0).key }
    let keys = try await keyList(bank)
    let usable = usable(keys, amount.currency)
    guard !usable.isEmpty else {
      throw ServiceError.configuration("\(bank.name) issues no tokens in \(amount.currency) now")
    }
    // An invoice is paid with one token, whole; everything else may be paid with parts.
    let denominations = usable.map(\.value.amount)
    let values =
      bound == nil
      ? try ChangeMaking.split(amount.amount, into: denominations)
      : try ChangeMaking.whole(amount.amount, into: denominations)
    for start in stride(from: 0, to: values.count, by: Self.outputsPerOrder) {
      let part = Array(values[start..<min(start + Self.outputsPerOrder, values.count)])
      try await order(
        part, amount.currency, keys, bank, reuseKey: reuseKey, archive: bound, usableAt: usableAt,
        onCard: onCard)
    }
  }

  /// An archive by name or key, whether it decides or is only a record.
  private func boundTo(_ name: String) throws -> PublicKey {
    if let active = try? party(.archive, named: name).key { return active }
    return try party(.archive, named: name, passive: true).key
  }

  /// Keys that sign now.
  private func usable(_ keys: KeyList, _ currency: String) -> [Denomination] {
    let now = clock()
    return keys.keys.filter {
      $0.value.currency == currency && $0.issueFrom <= now && now < $0.issueUntil
    }
  }

  /// For each value the key that signs longest: the same choice for whoever asks at the same time.
  private func freshest(
    _ keys: KeyList, _ values: [UInt64], _ currency: String
  ) throws -> [Denomination] {
    let usable = usable(keys, currency)
    return try values.map { value in
      let fitting = usable.filter { $0.value.amount == value }
      guard let key = fitting.max(by: { $0.issueUntil < $1.issueUntil }) else {
        throw ServiceError.protocolViolation("no key signs tokens of \(value) minor units now: try again")
      }
      return key
    }
  }

  /// Blinds fresh tokens of this amount, each of a key that signs now.
  func blind(
    _ amount: Money, _ keys: KeyList, _ bank: TrustEntry
  ) async throws -> ([PendingToken], [Blinded]) {
    let usable = usable(keys, amount.currency)
    guard !usable.isEmpty else {
      throw ServiceError.configuration("\(bank.name) issues no tokens in \(amount.currency) now")
    }
    let values = try ChangeMaking.split(amount.amount, into: usable.map(\.value.amount))
    guard values.count <= Self.outputsPerOrder else {
      throw ServiceError.configuration("too much for one request: ask for less at a time")
    }
    return try await blind(freshest(keys, values, amount.currency), reuseKey: false)
  }

  /// Withdraws what a named customer's purchase still needs, as tokens of the account's own key: the bank
  /// knows whose they are, and so will whoever sees them spent.
  func withdrawNamed(_ amount: Money, _ bank: TrustEntry) async throws {
    let keys = try await keyList(bank)
    let denominations = usable(keys, amount.currency).map(\.value.amount)
    // Up to the next multiple of the smallest, which always can be made up: the rest is there next time.
    let least = max(1, denominations.min() ?? 1)
    let values = try ChangeMaking.split((amount.amount + least - 1) / least * least, into: denominations)
    guard values.count <= Self.outputsPerOrder else {
      throw ServiceError.configuration("too much for one withdrawal: withdraw in parts")
    }
    try await order(values, amount.currency, keys, bank, reuseKey: true, named: true)
  }

  private func order(
    _ values: [UInt64], _ currency: String, _ keys: KeyList, _ bank: TrustEntry, reuseKey: Bool,
    named: Bool = false, archive: PublicKey? = nil, usableAt: PublicKey? = nil, onCard: Bool = false
  ) async throws {
    let chosen = try freshest(keys, values, currency)
    let place = usableAt.flatMap { TokenPlace(bank: $0, issuer: bank.key) }
    let (pending, outputs) = try await blind(
      chosen, reuseKey: reuseKey, named: named, archive: archive, place: place, onCard: onCard)
    var generator = surroundings.randomness
    let note = RecoveryNote.seal(pending, key: seed.recoveryKey(), nonce: randomBytes(24, using: &generator))
    let w1 = try Verified(
      signing: W1(
        bank: bank.key, amount: Money(currency: currency, amount: values.reduce(0, +))!,
        order: .random(using: &generator), outputs: outputs, recovery: note), with: seed.accountKey())
    let data = Array(try JSONEncoder().encode(pending))
    try await store.write { tx in
      try tx.append(kind: "withdrawal", key: w1.hash.bytes, label: "W1", bytes: w1.bytes)
      try tx.putMachine(MachineRow(kind: "withdrawal", key: w1.hash.bytes, phase: 1, data: data))
    }
    try await finishWithdrawal(w1, pending, bank, keys)
  }

  /// Blinds one message for each denomination, under fresh key and serial numbers.
  func blind(
    _ keys: [Denomination], reuseKey: Bool, named: Bool = false, archive: PublicKey? = nil,
    place: TokenPlace? = nil, onCard: Bool = false
  ) async throws -> ([PendingToken], [Blinded]) {
    let count = UInt64(keys.count)
    let cardKeys = try onCard ? makeCardKeys(count) : nil
    let given = named ? WalletSeed.account : cardKeys.map { WalletSeed.card | UInt64($0[0].index) }
    let (firstKey, firstSerial) = try await store.write { tx in
      let key = try given ?? tx.take("token", count: reuseKey ? 1 : count)
      return (key, try tx.take("serial", count: count))
    }
    var pending: [PendingToken] = []
    var outputs: [Blinded] = []
    for (offset, denomination) in keys.enumerated() {
      let keyIndex = reuseKey ? firstKey : firstKey + UInt64(offset)
      let serialIndex = firstSerial + UInt64(offset)
      let key = cardKeys?[offset].publicKey ?? seed.tokenKey(keyIndex).publicKey
      let id = Hash.token(key: key, serial: seed.serial(serialIndex), archive: archive, place: place)
      let blinded = try surroundings.blind(BlindingKey(denomination), id.bytes)
      pending.append(
        PendingToken(
          keyIndex: keyIndex, serialIndex: serialIndex, keyID: denomination.id.description,
          inverse: blinded.inverse, archive: archive?.description, usableAt: place?.bank.description,
          key: cardKeys?[offset].publicKey.description))
      outputs.append(Blinded(keyID: denomination.id, message: blinded.blinded))
    }
    return (pending, outputs)
  }

  /// Sends W1 (again) and turns the answer into coins. A refusal ends the order: nothing was debited.
  /// `known` is the key list, if it is at hand.
  func finishWithdrawal(
    _ w1: Verified<W1>, _ pending: [PendingToken], _ bank: TrustEntry, _ known: KeyList? = nil
  ) async throws {
    let reply = try await exchange(w1.bytes, with: bank.key)
    let w2: Verified<W2>
    do { w2 = try expect(reply, from: bank.key, for: w1.bytes) } catch let refused as RefusedByPeer {
      try await store.write { try $0.deleteMachine(kind: "withdrawal", key: w1.hash.bytes) }
      throw refused
    }
    guard w2.payload.hW1 == w1.hash else {
      throw ServiceError.protocolViolation("\(bank.name) answered another withdrawal")
    }
    let keys: KeyList
    if let known { keys = known } else { keys = try await keyList(bank) }
    let coins = try unblind(w2.payload.signatures, pending, keys, bank)
    try await store.write { tx in
      try tx.append(kind: "withdrawal", key: w1.hash.bytes, label: "W2", bytes: w2.bytes)
      try tx.deleteMachine(kind: "withdrawal", key: w1.hash.bytes)
      try tx.addCoins(coins)
    }
  }

  /// Unblinds and verifies the bank's signatures: only valid tokens become coins.
  func unblind(
    _ signatures: [[UInt8]], _ pending: [PendingToken], _ keys: KeyList, _ bank: TrustEntry
  ) throws -> [Coin] {
    guard signatures.count == pending.count else {
      throw ServiceError.protocolViolation(
        "\(bank.name) signed \(signatures.count) of \(pending.count) tokens")
    }
    return try zip(signatures, pending).map { signature, pending in
      guard let id = Hash(hex: pending.keyID), let denomination = keys.denomination(id) else {
        throw ServiceError.protocolViolation(
          "\(bank.name)'s key list lost a denomination that it signed with")
      }
      let key = pending.key.flatMap(PublicKey.init(hex:)) ?? seed.tokenKey(pending.keyIndex).publicKey
      let serial = seed.serial(pending.serialIndex)
      let archive = pending.archive.flatMap(PublicKey.init(hex:))
      let usableAt = pending.usableAt.flatMap(PublicKey.init(hex:)) ?? bank.key
      let message = Hash.token(
        key: key, serial: serial, archive: archive, place: TokenPlace(bank: usableAt, issuer: bank.key))
      let token = Token(
        archive: archive, bank: usableAt, key: key, serial: serial, keyID: id,
        signature: try BlindingKey(denomination).finalize(
          blindSignature: signature, inverse: pending.inverse, message: message.bytes), issuer: bank.key)
      return Coin(
        keyIndex: pending.keyIndex, serialIndex: pending.serialIndex, token: Data(try token.encoded()),
        currency: denomination.value.currency, value: denomination.value.amount,
        rest: denomination.value.amount, held: 0, spendUntil: denomination.spendUntil,
        bank: usableAt.description, archive: pending.archive)
    }
  }

  /// Takes up withdrawals and exchanges that a crash or a dead line interrupted.
  public func resumeMoney() async throws {
    let open = try await store.read { try $0.machines(kind: "withdrawal", phase: 1, after: nil, limit: 1000) }
    for row in open {
      guard
        let bytes = try await store.read({ try $0.message(kind: "withdrawal", key: row.key, label: "W1") })
      else { continue }
      let w1 = try Verified<W1>(stored: bytes)
      let pending = try JSONDecoder().decode([PendingToken].self, from: Data(row.data))
      try await finishWithdrawal(w1, pending, entry(w1.payload.bank))
    }
    for (x1, pending) in try await openExchanges() {
      try await finishExchange(x1, pending, entry(x1.payload.bank))
    }
  }

  /// Exchanges that have no answer yet.
  private func openExchanges() async throws -> [(Verified<X1>, [PendingToken])] {
    try await store.read { tx in
      try tx.machines(kind: "exchange", phase: 1, after: nil, limit: 1000).compactMap { row in
        guard let bytes = try tx.message(kind: "exchange", key: row.key, label: "X1") else { return nil }
        return (
          try Verified<X1>(stored: bytes), try JSONDecoder().decode([PendingToken].self, from: Data(row.data))
        )
      }
    }
  }

  /// Before coins are made to say what the bank says: it counts what an open exchange holds as used, and the
  /// exchange would take it away once more when it ends.
  func endExchanges() async throws {
    for (x1, pending) in try await openExchanges() {
      do { try await finishExchange(x1, pending, entry(x1.payload.bank)) } catch let refused as RefusedByPeer
      {
        report(.note("an exchange that an old copy had begun is refused: \(refused)"))
      }
    }
  }

  // MARK: Exchange

  /// Exchanges tokens for fresh ones that nobody can link to them: all remainders of partly spent tokens, and
  /// tokens that end within `within` seconds; with `all`, everything.
  /// - Returns: how much was exchanged; nil if there was nothing to do.
  public func refresh(
    all: Bool, within: UInt64 = 30 * 86_400, bank bankName: String?, onCard: Bool = false
  ) async throws -> Money? {
    let now = clock()
    let coins = try await store.read { try $0.coins(onCard: onCard) }.filter {
      $0.available > 0 && $0.held == 0 && $0.archive == nil
        && (all || $0.rest < $0.value || $0.spendUntil < now + within)
    }
    // Of several banks the first one that issued any of them.
    let named = try bankName.map { try party(.bank, named: $0).key.description }
    guard let place = try named ?? coins.first?.usableAt() else { return nil }
    let here = try coins.filter { try $0.usableAt() == place }
    // Tokens of the account's key go by themselves: beside them the others would name their owner.
    let isNamed = here.allSatisfy { $0.keyIndex == WalletSeed.account }
    let chosen = Array(here.filter { ($0.keyIndex == WalletSeed.account) == isNamed }.prefix(32))
    guard let currency = chosen.first?.currency, let key = PublicKey(hex: place) else { return nil }
    let bank = try entry(key)
    let keys = try await keyList(bank)
    let total = chosen.reduce(0) { $0 + $1.available }
    guard total > keys.exchangeFee else {
      throw ServiceError.insufficientFunds("the exchange fee is more than what there is to exchange")
    }
    let values = try ChangeMaking.split(
      total - keys.exchangeFee, into: usable(keys, currency).map(\.value.amount))
    guard values.count <= Self.outputsPerOrder else {
      throw ServiceError.configuration("too much for one exchange: withdraw less at a time")
    }
    let (pending, outputs) = try await blind(
      freshest(keys, values, currency), reuseKey: false, onCard: onCard)
    var generator = surroundings.randomness
    let payload = X1(
      bank: bank.key, total: Money(currency: currency, amount: total)!,
      tokenInputs: try chosen.map { TokenInput(token: try $0.decoded(), amount: $0.available) },
      outputs: outputs, fee: keys.exchangeFee,
      recovery: RecoveryNote.seal(pending, key: seed.recoveryKey(), nonce: randomBytes(24, using: &generator))
    )
    let x1 = try sign(payload, keyIndices: Set(chosen.map(\.keyIndex)).sorted())
    let data = Array(try JSONEncoder().encode(pending))
    try await store.write { tx in
      try tx.append(kind: "exchange", key: x1.hash.bytes, label: "X1", bytes: x1.bytes)
      try tx.putMachine(MachineRow(kind: "exchange", key: x1.hash.bytes, phase: 1, data: data))
      try tx.updateCoins(payload.tokenInputs) { coin, amount in coin.held += amount }
    }
    try await finishExchange(x1, pending, bank, keys)
    return payload.total
  }

  /// Signs with the first token key and co-signs with each further one.
  func sign<P: SignedByTokens>(_ payload: P, keyIndices: [UInt64]) throws -> Verified<P> {
    if keyIndices.contains(where: WalletSeed.isOnCard) {
      return try Verified(
        signing: payload, with: cardKeys(keyIndices, of: payload.tokenInputs.map(\.token)))
    }
    var message = try Verified(signing: payload, with: seed.tokenKey(keyIndices[0]))
    for index in keyIndices.dropFirst() { message = try message.coSigned(with: seed.tokenKey(index)) }
    return message
  }

  /// Sends X1 (again) and turns the answer into coins. `known` is the key list, if it is at hand.
  func finishExchange(
    _ x1: Verified<X1>, _ pending: [PendingToken], _ bank: TrustEntry, _ known: KeyList? = nil
  ) async throws {
    let reply = try await exchange(x1.bytes, with: bank.key)
    let x2: Verified<X2>
    do { x2 = try expect(reply, from: bank.key, for: x1.bytes) } catch let refused as RefusedByPeer {
      try await store.write { tx in
        try tx.deleteMachine(kind: "exchange", key: x1.hash.bytes)
        try tx.updateCoins(x1.payload.tokenInputs) { coin, amount in coin.held -= min(coin.held, amount) }
      }
      throw refused
    }
    guard x2.payload.hX1 == x1.hash else {
      throw ServiceError.protocolViolation("\(bank.name) answered another exchange")
    }
    let keys: KeyList
    if let known { keys = known } else { keys = try await keyList(bank) }
    let coins = try unblind(x2.payload.signatures, pending, keys, bank)
    try await store.write { tx in
      try tx.append(kind: "exchange", key: x1.hash.bytes, label: "X2", bytes: x2.bytes)
      try tx.deleteMachine(kind: "exchange", key: x1.hash.bytes)
      try tx.updateCoins(x1.payload.tokenInputs) { coin, amount in
        coin.held -= min(coin.held, amount)
        coin.rest -= min(coin.rest, amount)
      }
      for coin in coins { try tx.putCoin(coin, id: coin.decoded().id) }
    }
  }

  /// The signed messages of all withdrawals and exchanges, by label; the latest of each.
  public func moneyMessages() async throws -> [(label: String, bytes: [UInt8])] {
    try await store.read { tx in
      var result: [(String, [UInt8])] = []
      for (kind, labels) in [
        ("withdrawal", ["W1", "W2"]), ("exchange", ["X1", "X2"]), (RefundRow.kind, ["RF1", "RF2", "RF3"]),
      ] {
        for label in labels {
          let all = try tx.messages(kind: kind, label: label, after: 0, limit: 1000)
          if let last = all.last { result.append((label, last.bytes)) }
        }
      }
      return result
    }
  }

  // MARK: Counting

  /// What the wallet holds, by currency, and by archive where tokens are bound to one.
  public func balance() async throws -> [WalletBalance] {
    struct Purse: Hashable {
      var currency: String
      var archive: String?
      var card = 0
    }
    let coins = try await store.read { try $0.coins() + $0.coins(onCard: true) }
    let purses = Dictionary(grouping: coins) {
      Purse(currency: $0.currency, archive: $0.archive, card: $0.isOnCard ? 1 : 0)
    }
    let order = { (purse: Purse) in (purse.currency, purse.archive ?? "", purse.card) }
    return purses.sorted { order($0.key) < order($1.key) }
      .map { purse, coins in
        let total = { (part: (Coin) -> UInt64) in
          Money(currency: purse.currency, amount: coins.reduce(0) { $0 + part($1) })!.description
        }
        let archive = purse.archive.map { key in
          trust.list.entries.first { $0.key.description == key }?.name ?? key
        }
        return WalletBalance(
          archive: archive, card: purse.card == 1 ? true : nil, available: total { $0.available },
          held: total { $0.held }, tokens: coins.count,
          firstExpiry: coins.map(\.spendUntil).min())
      }
  }
}
