import Relabel
import Testing

@Suite("Epoch order")
struct EpochOrderTests {
  /// Cases of `spec/conformance/epoch-order.json`.
  private func cases(_ member: String) throws -> [JSON] {
    let path = "\(PoolingVector.specFolder)/conformance/epoch-order.json"
    let document = try JSON(parsing: Folder.contents(path, limit: 1 << 20))
    let cases = try #require(document[member]?.array)
    try #require(!cases.isEmpty)
    return cases
  }

  private func bits(_ json: JSON?) throws -> UInt64 {
    let digits = try #require(json?.string)
    return try #require(UInt64(digits, radix: 16))
  }

  private func whole(_ json: JSON?) throws -> Int { Int(try #require(json?.number)) }

  private func list(_ json: JSON?) throws -> [Int] {
    try #require(json?.array).map { try whole($0) }
  }

  private func tail(_ json: JSON) throws -> EpochOrder.Tail {
    let word = try #require(json["tail"]?.string)
    return try #require(EpochOrder.Tail(rawValue: word))
  }

  private func order(_ kind: EpochOrder.Kind, _ count: Int, _ json: JSON) throws -> EpochOrder {
    EpochOrder(kind, count: count, seed: try bits(json["seed"]), epoch: try bits(json["epoch"]))
  }

  @Test("Bits say which index they are of", arguments: [0, 1, UInt64.max, 0x1234_5678_9ABC_DEF0])
  func inverse(state: UInt64) {
    for index in [0, 1, 2, 1_281_166, Int(UInt32.max), Int.max - 1] {
      #expect(SplitMix64.index(of: SplitMix64.bits(index, from: state), from: state) == index)
    }
  }

  @Test("The uniform order is the vectors'")
  func uniform() throws {
    for json in try cases("orders") {
      let (seed, epoch) = (try bits(json["seed"]), try bits(json["epoch"]))
      let base = SplitMix64.base(seed: seed, epoch: epoch)
      #expect(base == (try bits(json["base"])))
      for (index, key) in try #require(json["keys"]?.array).enumerated() {
        #expect(SplitMix64.bits(index, from: base) == (try bits(key)))
      }
      guard case .object(let orders)? = json["uniform"] else { Issue.record("no orders"); return }
      for (count, positions) in orders {
        let count = try #require(Int(count))
        let order = try order(.uniform, count, json)
        #expect(order.positions == (try list(positions)))
      }
    }
  }

  @Test("The order by chunks is the vectors'")
  func chunks() throws {
    for json in try cases("chunks") {
      let boundaries = try list(json["boundaries"])
      let chunks = zip(boundaries, boundaries.dropFirst()).map { $0..<$1 }
      let order = try order(.chunk(chunks), boundaries.last ?? 0, json)
      #expect(order.positions == (try list(json["order"])))
    }
  }

  @Test("Ranks take the vectors' places, and with drop or uneven none twice")
  func ranks() throws {
    for json in try cases("ranks") {
      let count = try whole(json["count"])
      let ranks = try whole(json["ranks"])
      let tail = try tail(json)
      let order = EpochOrder(.uniform, count: count, seed: 5, epoch: 9)
      var seen: [Int] = []
      for (rank, places) in try #require(json["places"]?.array).enumerated() {
        let ends = try list(places)
        let expected = (ends[0]..<ends[1]).map { order.positions[$0 % count] }
        let positions = order.positions(ofRank: rank, of: ranks, tail: tail)
        #expect(positions == expected)
        seen += positions
      }
      switch tail {
      case .drop: #expect(Set(seen).count == count / ranks * ranks && seen.count == Set(seen).count)
      case .pad:
        #expect(Set(seen).count == count && seen.count == (count + ranks - 1) / ranks * ranks)
      case .uneven: #expect(seen.sorted() == Array(0..<count))
      }
    }
  }

  @Test("Workers make the vectors' batches, which cover the rank")
  func workers() throws {
    for json in try cases("workers") {
      let (length, workers) = (try whole(json["length"]), try whole(json["workers"]))
      let start = try whole(json["start"])
      var places: [Int] = []
      for (worker, expected) in try #require(json["batches"]?.array).enumerated() {
        let batches = EpochOrder.batches(
          ofWorker: worker,
          of: workers,
          batchSize: try whole(json["batch_size"]),
          length: length,
          start: start
        )
        let ends = try #require(expected.array).map { try list($0) }
        #expect(batches.map { [$0.lowerBound, $0.upperBound] } == ends)
        places += batches.flatMap(\.self)
      }
      #expect(places.sorted() == Array(min(start, length)..<length))
    }
  }

  @Test("A resumed epoch is the rest of it")
  func resumed() throws {
    for json in try cases("resumed") {
      let ranks = try whole(json["ranks"])
      let tail = try tail(json)
      let order = try order(.uniform, try whole(json["count"]), json)
      let start = try whole(json["start"])
      for (rank, rest) in try #require(json["positions"]?.array).enumerated() {
        let positions = order.positions(ofRank: rank, of: ranks, tail: tail)
        #expect(Array(positions.dropFirst(start)) == (try list(rest)))
      }
    }
  }
}
