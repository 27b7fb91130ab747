// The control socket of a running party: who can open it, what is left of it, what it takes, and that a task
// ends alike whether the party runs or not.

import Foundation
import Logging
import Messages
import Storage
import Testing

@testable import Services

private let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs `body` while a party serves its operator; afterwards the channel has ended.
func whileServing<Desk: OperatorDesk>(
  _ desk: Desk, in directory: DataDirectory, _ body: () async throws -> Void
) async throws {
  let serving = Task { await OperatorChannel.serve(desk, in: directory, logger: silent) }
  let client = ControlClient(directory)
  var isUp = false
  for _ in 0..<500 where !isUp {
    isUp = await client.answers(for: Desk.role.name)
    if !isUp { try await Task.sleep(for: .milliseconds(20)) }
  }
  do {
    try #require(isUp, "the channel does not open")
    try await body()
  } catch {
    serving.cancel()
    await serving.value
    throw error
  }
  serving.cancel()
  await serving.value
}

/// A bank's directory with its books, and a store that somebody holds.
private struct Books {
  let directory: DataDirectory
  let store: SQLiteStore
  var desk: BankDesk { BankDesk(store: store, currency: "EUR") }

  init(_ directory: DataDirectory) async throws {
    self.directory = directory
    try directory.create()
    try directory.writeConfig(PartyConfig(role: "bank", name: "bank", currency: "EUR"))
    store = try SQLiteStore(path: directory.file("store.sqlite"))
    try await store.write { try BankBooks.openSystemAccounts($0, currency: "EUR") }
  }
}

/// The file's permission bits, and whether it is a socket; nil if there is none.
private func mode(_ path: String) -> (permissions: UInt32, isSocket: Bool)? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return nil }
  return (status.st_mode & 0o777, status.st_mode & S_IFMT == S_IFSOCK)
}

/// A connected or bound stream socket at a path; the caller closes it.
private func unixSocket(_ path: String, binds: Bool) throws -> CInt {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let length = socklen_t(MemoryLayout<sockaddr_un>.size)
  let result = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      binds ? bind(descriptor, pointer, length) : connect(descriptor, pointer, length)
    }
  }
  try #require(result == 0, "errno \(errno) at \(path)")
  return descriptor
}

@Suite("Operator channel", .timeLimit(.minutes(2)))
struct OperatorChannelTests {
  @Test("the socket is its owner's alone, in whatever directory, and gone afterwards")
  func permissions() async throws {
    let books = try await Books(temporaryDirectory())
    try #require(chmod(books.directory.path, 0o755) == 0)
    let path = books.directory.file("control.sock")
    try await whileServing(books.desk, in: books.directory) {
      let found = try #require(mode(path))
      #expect(found.isSocket && found.permissions == 0o600)
      #expect(!books.directory.exists("control.new"), "the folder in which it was bound is still there")
    }
    #expect(mode(path) == nil, "the socket is left behind")
    try await books.store.close()
  }

  @Test("it ends when it is told to, whoever holds a connection")
  func idleConnection() async throws {
    let books = try await Books(temporaryDirectory())
    var held: CInt = -1
    let clock = ContinuousClock()
    var left = clock.now
    try await whileServing(books.desk, in: books.directory) {
      held = try unixSocket(books.directory.file("control.sock"), binds: false)
      _ = "POST /v1/operator/deposit HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{".withCString {
        write(held, $0, strlen($0))
      }
      try await Task.sleep(for: .milliseconds(200))
      left = clock.now
    }
    #expect(left.duration(to: clock.now) < .seconds(5))
    close(held)
    try await books.store.close()
  }

  @Test("what a killed process left behind hinders nobody")
  func stale() async throws {
    let books = try await Books(temporaryDirectory())
    let path = books.directory.file("control.sock")
    close(try unixSocket(path, binds: true))
    try books.directory.createFolder("control.new")
    close(try unixSocket(books.directory.file("control.new/socket"), binds: true))
    try await whileServing(books.desk, in: books.directory) {
      #expect(mode(path)?.permissions == 0o600)
      let totals = try await BankOperation(books.directory).totals()
      #expect(totals.difference == 0)
    }
    // And with nobody there at all: the store is free, so the socket is not asked.
    close(try unixSocket(path, binds: true))
    try await books.store.close()
    let operation = try BankOperation(books.directory)
    #expect(try await operation.totals().difference == 0)
    try await operation.close()
  }

  @Test("a path that is too long for a socket's address works too")
  func longPath() async throws {
    let long = try temporaryDirectory().path + "/" + String(repeating: "long", count: 40)
    let books = try await Books(DataDirectory(long))
    try await whileServing(books.desk, in: books.directory) {
      #expect(mode(books.directory.file("control.sock"))?.permissions == 0o600)
      let operation = try BankOperation(books.directory)
      #expect(try await operation.totals().currency == "EUR")
    }
    #expect(!books.directory.exists("control.sock"))
    try await books.store.close()
  }

  @Test("a store held by a process that does not answer is said to be")
  func nobodyAnswers() async throws {
    let books = try await Books(temporaryDirectory())
    let link = try OperatorLink<BankDesk>(books.directory, patience: .milliseconds(200))
    await #expect(
      throws: ServiceError.configuration(
        "\(books.directory.path) is in use by a process that does not answer at control.sock")
    ) { _ = try await link.carryOut(Totals()) }
    try await books.store.close()
  }

  @Test("tasks at the same time are all done, repeated ones once")
  func concurrent() async throws {
    let books = try await Books(temporaryDirectory())
    try await whileServing(books.desk, in: books.directory) {
      let operation = try BankOperation(books.directory)
      try await operation.open("alice", key: publicKey(1), merchant: false)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<60 {
          group.addTask {
            // Each reference three times, by operators of their own.
            let own = try BankOperation(books.directory)
            try await own.deposit("alice", euros(100), reference: "deposit \(number % 20)")
          }
        }
        try await group.waitForAll()
      }
      let (balance, lines) = try await operation.statement("alice")
      #expect(balance == euros(2000) && lines.count == 20)
      let totals = try await operation.totals()
      #expect(totals.difference == 0 && totals.cash == 2000)
      #expect(try await operation.check() == [])
    }
    try await books.store.close()
  }

  @Test("a statement of more than a page is whole")
  func pages() async throws {
    let books = try await Books(temporaryDirectory())
    let count = StatementPage.linesMax + 3
    let operation = try BankOperation(books.directory)
    try await whileServing(books.desk, in: books.directory) {
      try await operation.open("alice", key: publicKey(1), merchant: false)
      try await books.store.write { tx in
        for number in 0..<count {
          try BankBooks.move(
            tx, euros(1), from: BankBooks.System.cash.id("EUR"), to: "alice", kind: "deposit",
            reference: Array("\(number)".utf8), at: 1)
        }
      }
      let (balance, lines) = try await operation.statement("alice")
      #expect(balance == euros(UInt64(count)) && lines.map(\.balance) == (1...count).map(Int64.init))
    }
    try await books.store.close()
  }

  @Test("a request has at most 64 KiB, and nonsense is refused")
  func bounded() async throws {
    let books = try await Books(temporaryDirectory())
    try await whileServing(books.desk, in: books.directory) {
      let client = ControlClient(books.directory)
      for (body, status) in [
        ([UInt8](repeating: 32, count: OperatorChannel.bodyBytesMax + 1), 413), (Array("{}".utf8), 400),
        ([], 400),
      ] {
        let reply = try await client.send("POST", DepositCash.path, body: body, timeout: .seconds(10))
        #expect(reply.status == status)
      }
      let unknown = try await client.send(
        "POST", operatorPath + "/print-money", body: [], timeout: .seconds(10))
      #expect(unknown.status == 404)
    }
    try await books.store.close()
  }

  @Test("errors are the same both ways")
  func errors() async throws {
    let books = try await Books(temporaryDirectory())
    func collect() async throws -> [ServiceError] {
      var errors: [ServiceError] = []
      func note(_ body: (BankOperation) async throws -> Void) async throws {
        let operation = try BankOperation(books.directory)
        do {
          try await body(operation)
          Issue.record("nothing was thrown")
        } catch let error as ServiceError { errors.append(error) }
        try await operation.close()
      }
      try await note { _ = try await $0.statement("nobody") }
      try await note { try await $0.deposit("nobody", euros(1), reference: "a") }
      try await note { try await $0.deposit("alice", Money("USD:1.00")!, reference: "a") }
      try await note { try await $0.deposit("alice", euros(0), reference: "a") }
      try await note { try await $0.deposit("alice", euros(2), reference: "first") }
      try await note { try await $0.deposit("system:fees:EUR", euros(2), reference: "fees") }
      try await note { try await $0.open("alice", key: publicKey(2), merchant: false) }
      try await note { try await $0.open("bob", key: publicKey(1), merchant: true) }
      return errors
    }
    var running: [ServiceError] = []
    try await whileServing(books.desk, in: books.directory) {
      let operation = try BankOperation(books.directory)
      try await operation.open("alice", key: publicKey(1), merchant: false)
      try await operation.deposit("alice", euros(1), reference: "first")
      running = try await collect()
    }
    try await books.store.close()
    #expect(running.count == 8 && running[0] == .notFound("there is no account nobody"))
    #expect(try await collect() == running)
  }
}
