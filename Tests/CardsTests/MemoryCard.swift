// A card in memory: the applet itself (CCore/card), with storage that nobody cuts and randomness that counts.

import CCore
import Cards
import Messages

private let pages = 128
private let pageSize = 256

final class MemoryCard: CardLink, @unchecked Sendable {  // one test, one thread
  /// What the C side points to.
  private struct Memory {
    var bytes = [UInt8](repeating: 0xFF, count: pages * pageSize)
    var drawn: UInt8 = 0
  }

  private let memory = UnsafeMutablePointer<Memory>.allocate(capacity: 1)
  private let card = UnsafeMutablePointer<acd_card>.allocate(capacity: 1)
  private let workspace = UnsafeMutablePointer<UInt8>.allocate(capacity: Int(ACD_CARD_WORKSPACE_SIZE))
  /// What went to the card.
  private(set) var commands: [[UInt8]] = []
  /// Changes an answer on its way back: a card that lies.
  var tamper: (([UInt8]) -> [UInt8])?

  /// `drawn`: where its randomness begins, so that two cards have different keys.
  init(drawn: UInt8 = 0) {
    _ = Hash(of: [])  // the crypto library is ready
    memory.initialize(to: Memory(drawn: drawn))
    card.initialize(to: acd_card())
    var ports = acd_card_ports()
    ports.storage.state = UnsafeMutableRawPointer(memory)
    ports.storage.page_size = UInt32(pageSize)
    ports.storage.page_count = UInt32(pages)
    ports.storage.read = { state, at, out, count in
      let bytes = state!.assumingMemoryBound(to: Memory.self)
      for index in 0..<Int(count) {
        out!.storeBytes(of: bytes.pointee.bytes[Int(at) + index], toByteOffset: index, as: UInt8.self)
      }
      return 0
    }
    ports.storage.write = { state, at, source, count in
      let bytes = state!.assumingMemoryBound(to: Memory.self)
      for index in 0..<Int(count) {
        bytes.pointee.bytes[Int(at) + index] &= source!.load(fromByteOffset: index, as: UInt8.self)
      }
      return 0
    }
    ports.storage.erase = { state, page in
      let bytes = state!.assumingMemoryBound(to: Memory.self)
      for index in 0..<pageSize { bytes.pointee.bytes[Int(page) * pageSize + index] = 0xFF }
      return 0
    }
    ports.storage.commit = { _ in 0 }
    ports.random_state = UnsafeMutableRawPointer(memory)
    ports.random = { state, out, count in
      let bytes = state!.assumingMemoryBound(to: Memory.self)
      for index in 0..<count {
        bytes.pointee.drawn &+= 1
        out!.storeBytes(of: bytes.pointee.drawn, toByteOffset: index, as: UInt8.self)
      }
      return 0
    }
    precondition(acd_card_format(&ports) == ACD_OK)
    precondition(acd_card_init(card, &ports, workspace, Int(ACD_CARD_WORKSPACE_SIZE)) == ACD_OK)
  }

  deinit {
    memory.deinitialize(count: 1)
    memory.deallocate()
    card.deallocate()
    workspace.deallocate()
  }

  func transmit(_ command: [UInt8]) throws -> [UInt8] {
    commands.append(command)
    var answer = [UInt8](repeating: 0, count: Int(ACD_CARD_RESPONSE_MIN))
    var count = 0
    let status = acd_card_apdu(card, &answer, answer.count, &count, command, command.count)
    precondition(status == ACD_OK)
    let said = Array(answer.prefix(count))
    return tamper?(said) ?? said
  }

  /// Out of the reader and in again.
  func reset() { acd_card_reset(card) }
}
