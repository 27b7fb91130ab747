// The threads that work on goods, with their buffers: all memory of a run over goods, however long they are.

internal import CCore
import Dispatch
import Messages
import Synchronization

/// Room of one thread: a run of chunks, in the clear and sealed. Wiped at the end.
final class GoodsRoom: @unchecked Sendable {  // one thread at a time uses it
  let plain: UnsafeMutableRawBufferPointer
  let sealed: SealedRun
  private let sealedRoom: UnsafeMutableRawBufferPointer

  init() {
    plain = .allocate(byteCount: GoodsCrew.run * Goods.chunkSize, alignment: 64)
    sealedRoom = .allocate(byteCount: SealedRun.room(chunks: GoodsCrew.run), alignment: 64)
    sealed = SealedRun(sealedRoom)
  }

  deinit {
    plain.wipe()
    plain.deallocate()
    sealedRoom.deallocate()
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Overwrites plaintext before its memory is given back.
  func wipe() { acd_wipe(baseAddress, count) }

  /// So many bytes from `start` on.
  func part(_ start: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: self[start..<start + count])
  }
}

/// Every core, one thread each. Jobs are numbered and taken in order.
struct GoodsCrew {
  /// Chunks that one thread takes in a row: as many as the widest processors hash side by side, few enough to
  /// stay in the core's own cache from reading to writing.
  static let run = SealedRun.most

  private let rooms: [GoodsRoom]

  init(threads: Int) { rooms = (0..<threads).map { _ in GoodsRoom() } }

  /// Does jobs 0..<count and waits for all. The first failure ends the rest and is thrown.
  func perform(_ count: Int, _ body: (_ job: Int, _ room: GoodsRoom) throws -> Void) throws {
    let next = Atomic(0)
    let failure = Mutex<(any Error)?>(nil)
    withoutActuallyEscaping(body) { body in
      // Each job touches what is its own: that is the caller's duty.
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: min(rooms.count, count)) { thread in
        while true {
          let job = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard job < count else { return }
          do { try body(job, rooms[thread]) } catch {
            next.store(count, ordering: .relaxed)
            failure.withLock { first in if first == nil { first = error } }
          }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
