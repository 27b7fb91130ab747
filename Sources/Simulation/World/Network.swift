// The network between the hosts: requests and answers with delay, loss, repetition, disorder and partition.
// Whoever listens on it keeps everything and sends it again when he likes.

import Messages
import Services

/// One request on its way, and who waits for its answer.
private final class Call: @unchecked Sendable {  // a run lives on one thread
  private var waiter: UnsafeContinuation<RehearsedReply?, Never>?
  private var result: RehearsedReply??

  /// Suspends until the answer is there, or nil when none will come.
  func answer() async -> RehearsedReply? {
    await withUnsafeContinuation { continuation in
      if let result { continuation.resume(returning: result) } else { waiter = continuation }
    }
  }

  /// The first end counts.
  func end(_ reply: RehearsedReply?) {
    guard result == nil else { return }
    result = .some(reply)
    waiter?.resume(returning: reply)
    waiter = nil
  }
}

/// A request as it went over the wire.
struct Sent: @unchecked Sendable {  // a run lives on one thread
  let from: Host
  let to: Host
  let method: String
  let path: String
  let body: [UInt8]
}

/// All connections.
final class Network: @unchecked Sendable {  // a run lives on one thread
  private unowned let world: World
  private let dice: Dice
  /// Until when two hosts hear nothing of each other.
  private var partitions: [[Int]: UInt64] = [:]
  /// What somebody recorded.
  private(set) var recorded: [Sent] = []
  private static let recordedMax = 400
  private static let timeoutMilliseconds = 8_000

  init(_ world: World) {
    self.world = world
    dice = Dice(world.scenario.seed, "network")
  }

  // MARK: Sending

  /// A party asks a peer. Throws when it stops meanwhile, and when no answer comes.
  func send(
    from life: Life, _ method: String, to key: PublicKey, _ path: String, _ body: [UInt8]
  ) async throws -> RehearsedReply {
    try life.reached(.beforeSend)
    guard let target = world.host(key) else { throw unreachable("unknown") }
    if life.host.isAway { throw unreachable("away") }
    var body = body
    if let liar = life.host.liar {
      guard
        let changed = liar.outgoing(Sent(from: life.host, to: target, method: method, path: path, body: body))
      else { throw unreachable("kept back") }
      body = changed
    }
    world.referee.sent(life.host, target, method, body)
    let sent = Sent(from: life.host, to: target, method: method, path: path, body: body)
    let call = Call()
    start(sent, call)
    try life.reached(.afterSend)
    let reply = await call.answer()
    try life.checkAlive()
    guard let reply else { throw unreachable("no answer") }
    return reply
  }

  /// Somebody sends something again, or something of his own, and does not wait for an answer.
  func inject(_ sent: Sent) {
    world.referee.dossier.saw(sent.body, by: sent.to)
    world.note(3, sent.from, sent.to, sent.body) { self.line(sent, "~>") }
    world.scheduler.after(delay()) { [self] in deliver(sent, nil) }
  }

  private func start(_ sent: Sent, _ call: Call) {
    world.note(1, sent.from, sent.to, sent.body) { self.line(sent, "->") }
    record(sent)
    world.scheduler.after(Self.timeoutMilliseconds) { call.end(nil) }
    mayPart(sent.from, sent.to)
    if isParted(sent.from, sent.to) || world.strikes(.lost, world.plan.loss, dice) { return }
    world.scheduler.after(delay()) { [self] in deliver(sent, call) }
    if world.strikes(.duplicated, world.plan.duplicate, dice) {
      world.scheduler.after(delay() + dice.below(300)) { [self] in deliver(sent, nil) }
    }
    if !recorded.isEmpty && world.strikes(.replayed, world.plan.replay, dice) {
      let old = dice.pick(recorded)
      world.scheduler.after(delay()) { [self] in deliver(old, nil) }
    }
  }

  private func record(_ sent: Sent) {
    guard sent.method == "POST" else { return }
    if recorded.count < Self.recordedMax {
      recorded.append(sent)
    } else {
      recorded[dice.below(recorded.count)] = sent
    }
  }

  private func delay() -> Int {
    guard !world.isQuiet else { return 1 + dice.below(4) }
    let most = world.plan.delayMax
    if most > 100 && dice.oneIn(4) { world.count(.delayed) }
    return 1 + (dice.oneIn(4) ? dice.below(most + 1) : dice.below(min(most, 30) + 1))
  }

  // MARK: Partitions

  private func mayPart(_ a: Host, _ b: Host) {
    guard world.strikes(.partitioned, world.plan.partition, dice) else { return }
    let until = world.scheduler.now + UInt64(dice.below(world.plan.partitionMaxMilliseconds))
    partitions[[min(a.index, b.index), max(a.index, b.index)]] = until
  }

  private func isParted(_ a: Host, _ b: Host) -> Bool {
    guard !world.isQuiet else { return false }
    let until = partitions[[min(a.index, b.index), max(a.index, b.index)]] ?? 0
    return world.scheduler.now < until
  }

  // MARK: Arriving

  private func deliver(_ sent: Sent, _ call: Call?) {
    guard !world.isOver else {
      call?.end(nil)
      return
    }
    guard let life = sent.to.life, let party = life.party, !sent.to.isAway else {
      // Nobody listens there: the connection is refused at once.
      world.scheduler.after(1) { call?.end(RehearsedReply(status: 503, body: [])) }
      return
    }
    world.scheduler.spawn { [self] in
      if let lie = sent.to.liar?.incoming(sent) {
        switch lie {
        case .silent: return
        case .reply(let bytes):
          giveBack(RehearsedReply(status: 200, body: bytes), sent, call)
          return
        }
      }
      var reply = await party.answer(sent.method, sent.path, sent.body)
      do {
        try life.reached(.beforeReply)
        world.referee.replied(sent, reply)
        if let liar = sent.to.liar, let changed = liar.replying(to: sent, reply.body) { reply.body = changed }
        giveBack(reply, sent, call)
        try life.reached(.afterReply)
      } catch {
        // The connection broke; the other side finds out by waiting.
      }
    }
  }

  private func giveBack(_ reply: RehearsedReply, _ sent: Sent, _ call: Call?) {
    if sent.to.liar != nil { world.referee.dossier.saw(reply.body, by: sent.from) }
    world.note(2, sent.to, sent.from, reply.body) {
      "\(sent.to.member.name) => \(sent.from.member.name)  \(reply.status) \(Self.label(reply.body))"
    }
    guard let call else { return }
    if isParted(sent.to, sent.from) || world.strikes(.lost, world.plan.loss, dice) { return }
    var reply = reply
    if sent.method == "GET", reply.body.count > 1, world.strikes(.cut, world.plan.cut, dice) {
      reply.body.removeLast(1 + dice.below(reply.body.count - 1))
      reply.isCut = true
    }
    let arrived = reply
    world.scheduler.after(delay()) { [world] in
      world.referee.arrived(arrived, sent)
      call.end(arrived)
    }
  }

  private func line(_ sent: Sent, _ arrow: String) -> String {
    let what = sent.method == "GET" ? "GET \(sent.path.prefix(24))" : Self.label(sent.body)
    return "\(sent.from.member.name) \(arrow) \(sent.to.member.name)  \(what)"
  }

  /// What the bytes are, for people.
  static func label(_ bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "-" }
    if let type = try? MessageType(peeking: bytes) { return type.label }
    if let bundle = try? Bundle(encoded: bytes) {
      return "[" + bundle.messages.map { (try? MessageType(peeking: $0).label) ?? "?" }.joined(separator: " ")
        + "]"
    }
    return (try? SealedMessage(encoded: bytes)) != nil ? "sealed" : "\(bytes.count) bytes"
  }
}
