// Tiles, roots and proofs against a naive tree; all proofs are verified by the C core.

import Messages
import Testing
import TransparencyLog

@Suite("Tiles and proofs")
struct TreeTests {
  @Test("names are those of tlog-tiles")
  func names() {
    #expect(LogPath.tile(0, 0) == "tile/0/000")
    #expect(LogPath.tile(3, 1_234_067) == "tile/3/x001/x234/067")
    #expect(LogPath.tile(1, 999, width: 17) == "tile/1/999.p/17")
    #expect(LogPath.tile(1, 1000) == "tile/1/x001/000")
    #expect(LogPath.entries(1_000_000, width: 1) == "tile/entries/x001/x000/000.p/1")
  }

  @Test("a tree of 70,000 has the tiles of the specification's example")
  func example() throws {
    var edge = RightEdge()
    let full = edge.append((0..<70_000).map { entry($0) })
    let partials = edge.partials().map(\.path)
    #expect(full.filter { $0.path.hasPrefix("tile/0/") }.count == 273)
    #expect(full.filter { $0.path.hasPrefix("tile/1/") }.count == 1)
    #expect(full.filter { $0.path.hasPrefix("tile/entries/") }.count == 273)
    #expect(full.allSatisfy { $0.path.hasPrefix("tile/entries/") || $0.bytes.count == 8192 })
    #expect(
      partials == ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"])
    var small = RightEdge()
    #expect(small.append((0..<256).map { entry($0) }).map(\.path) == ["tile/0/000", "tile/entries/000"])
    #expect(small.partials().map(\.path) == ["tile/1/000.p/1"])
  }

  @Test("every root, inclusion and consistency of trees up to 70 is the naive one's")
  func small() throws {
    let leaves = (0..<70).map { TreeHash.leaf(entry($0)) }
    var storage = try writer(MemoryStorage(), isNew: true)
    var heads = [LogHead.empty]
    for index in 0..<70 {
      try storage.append([entry(index)])
      #expect(storage.head.root == Naive.root(leaves[...index]))
      heads.append(storage.head)
    }
    for size in 1...70 {
      let tree = LogTree(size: UInt64(size), reading: storage.storage.object)
      #expect(try tree.root() == heads[size].root)
      for index in 0..<size {
        let path = try tree.inclusion(of: UInt64(index))
        #expect(path == Naive.path(index, leaves[..<size]))
        #expect(try tree.leaf(UInt64(index)) == leaves[index])
        #expect(
          TreeHash.isIncluded(
            leaves[index], at: UInt64(index), of: UInt64(size), path: path, root: heads[size].root))
      }
      for smaller in 1...size {
        let path = try tree.consistency(with: UInt64(smaller))
        #expect(path == Naive.proof(smaller, leaves[..<size]))
        #expect(
          TreeHash.isConsistent(
            UInt64(smaller), heads[smaller].root, with: UInt64(size), heads[size].root, path: path))
      }
    }
  }

  @Test("large trees in random batches: roots, proofs and entries", arguments: 0..<2)
  func large(seed: UInt64) throws {
    var dice = Dice(seed)
    var log = try writer(MemoryStorage(), isNew: true)
    var (leaves, marks) = ([Hash](), [0])
    while leaves.count < 66_000 {
      let batch = (0..<1 + dice.below(dice.below(8) == 0 ? 9000 : 600)).map { entry(leaves.count + $0) }
      try log.append(batch)
      leaves += batch.map(TreeHash.leaf)
      marks.append(leaves.count)
    }
    #expect(log.head == LogHead(size: UInt64(leaves.count), root: Naive.root(leaves[...])))
    try LogCheck.everything(log.head, reading: log.storage.object)
    for _ in 0..<12 {
      let size = marks[1 + dice.below(marks.count - 1)]
      let tree = LogTree(size: UInt64(size), reading: log.storage.object)
      let root = try tree.root()
      #expect(root == Naive.root(leaves[..<size]))
      let index = dice.below(size)
      let path = try tree.inclusion(of: UInt64(index))
      #expect(TreeHash.isIncluded(leaves[index], at: UInt64(index), of: UInt64(size), path: path, root: root))
      #expect(try tree.entry(UInt64(index)) == entry(index))
      let proof = try log.tree.consistency(with: UInt64(size))
      #expect(TreeHash.isConsistent(UInt64(size), root, with: log.head.size, log.head.root, path: proof))
    }
  }

  @Test("superseded partial tiles are gone, and proofs of old heads still come")
  func discarded() throws {
    var log = try writer(MemoryStorage(), isNew: true)
    var heads: [LogHead] = []
    for index in 0..<600 {
      try log.append([entry(index)])
      heads.append(log.head)
    }
    #expect(!log.storage.objects.keys.contains { $0.hasPrefix("tile/0/000.p/") })
    #expect(!log.storage.objects.keys.contains { $0.hasPrefix("tile/entries/001.p/") })
    for head in heads {
      let tree = LogTree(size: head.size, reading: log.storage.object)
      #expect(try tree.root() == head.root)
      #expect(try tree.entry(head.size - 1) == entry(Int(head.size) - 1))
    }
  }

  @Test("a bundle is read whole or not at all")
  func bundles() {
    let bytes: [UInt8] = [0, 1, 7, 0, 0, 0, 2, 8, 9]
    #expect(LogBundle.entries(bytes, count: 3) == [[7], [], [8, 9]])
    #expect(LogBundle.entries(bytes, count: 2) == nil)
    #expect(LogBundle.entries(bytes, count: 4) == nil)
    for cut in 0..<bytes.count { #expect(LogBundle.entries(Array(bytes[..<cut]), count: 3) == nil) }
    #expect(LogBundle.prefix(bytes, count: 2) == [0, 1, 7, 0, 0])
    #expect(LogBundle.prefix(bytes, count: 4) == nil)
  }
}
