// What an operator has done at a party: a task with its answer, written once and carried out in two ways.
// Either the operator's own process opens the store of a party that is not running, or the running party
// does it, asked over its control socket. Both go through `done`, so errors read the same.

import Foundation
import Messages
import Storage

/// What the tasks of one role work on: the store, and what else the role needs.
protocol OperatorDesk: Sendable {
  /// Whose desk it is.
  static var role: Role { get }
  var store: any Store { get }
  /// The desk of a party that is not running; the caller closes the store.
  init(_ store: SQLiteStore, _ directory: DataDirectory, _ config: PartyConfig)
  /// All tasks of this role, for the control socket.
  var routes: [Route] { get }
}

/// One task: the request, and its logic.
protocol OperatorTask: Codable, Sendable {
  associatedtype Desk: OperatorDesk
  associatedtype Answer: Codable & Sendable
  /// The last part of its path at the control socket.
  static var name: String { get }
  /// Does it, in one durable step if it changes anything.
  func carryOut(at desk: Desk) async throws -> Answer
}

/// The answer of tasks that have nothing to say.
struct Done: Codable, Sendable {}

extension OperatorTask {
  /// Where it is posted at the control socket.
  static var path: String { "\(operatorPath)/\(name)" }

  /// Carries the task out; whatever goes wrong comes as what a person is told.
  func done(at desk: Desk) async throws(ServiceError) -> Answer {
    do { return try await carryOut(at: desk) } catch let error as ServiceError { throw error } catch {
      throw ServiceError.configuration("the \(Desk.role.name)'s store: \(error)")
    }
  }

  /// The task at the control socket. An error of the task itself is a 422 with the error in full.
  static func route(at desk: Desk) -> Route {
    Route(method: "POST", path: path) { call in
      guard let task = try? JSONDecoder().decode(Self.self, from: Data(call.body)) else {
        throw Problem.badRequest("the body is no \(name) that this version knows")
      }
      do {
        return try .json(200, try await task.done(at: desk))
      } catch let error as ServiceError {
        return try .json(422, error)
      }
    }
  }
}

/// Where the operator's tasks are at the control socket; a GET says whose it is.
let operatorPath = "/v1/operator"

extension HTTPReply {
  /// A value as JSON.
  fileprivate static func json(_ status: Int, _ value: some Encodable) throws -> HTTPReply {
    HTTPReply(
      status: status, contentType: "application/json", body: .bytes(Array(try JSONEncoder().encode(value))))
  }
}
