internal import Relabel

/// Which rows of two datasets are of one image, or of one view of it.
///
/// Rows meet by a keyed 64-bit hash of key and view: nobody makes two keys collide on purpose, and two of 1.28
/// million collide by chance once in ten million comparisons. Takes 36 bytes for each row while it is made.
struct ImageJoin: Sendable {
  private static let none = UInt32.max
  /// The row of B for each row of A.
  private var rows: [UInt32]
  /// Rows of A that B has not.
  private(set) var onlyA: NameList
  /// Rows of B that A has not.
  private(set) var onlyB: NameList
  /// Rows that both have.
  var common: Int { rows.count - onlyA.count }

  /// Compares the identities of all rows.
  ///
  /// - Throws: M007 where two rows of one dataset are the same image or view, and what reading throws.
  /// - Complexity: O(n log n).
  init(
    _ a: any LabelMapSource,
    _ b: any LabelMapSource,
    listed: Int,
    jobs: Int
  ) throws(RelabelError) {
    let sides = [a, b]
    let read = Parallel.map(2, jobs: jobs) { side -> Result<[Identity], RelabelError> in
      do throws(RelabelError) {
        return .success(try Identity.all(of: sides[side]))
      } catch {
        return .failure(error)
      }
    }
    let (ofA, ofB) = (try read[0].get(), try read[1].get())
    rows = [UInt32](repeating: Self.none, count: ofA.count)
    var (lonelyA, lonelyB) = ([UInt32](), [UInt32]())
    var place = 0
    for identity in ofA {
      while place < ofB.count, ofB[place].hash < identity.hash {
        lonelyB.append(ofB[place].row)
        place += 1
      }
      if place < ofB.count, ofB[place].hash == identity.hash {
        rows[Int(identity.row)] = ofB[place].row
        place += 1
      } else {
        lonelyA.append(identity.row)
      }
    }
    lonelyB += ofB[place...].map(\.row)
    onlyA = try Self.missing(lonelyA, a, listed)
    onlyB = try Self.missing(lonelyB, b, listed)
  }

  private static func missing(
    _ rows: [UInt32],
    _ source: any LabelMapSource,
    _ listed: Int
  ) throws(RelabelError) -> NameList {
    var names: [RowName] = []
    for row in rows.sorted().prefix(listed) { names.append(try RowName(Int(row), of: source)) }
    return NameList(count: rows.count, names: names)
  }

  /// The row of B for each row of A; nil where B has none.
  subscript(row: Int) -> Int? { rows[row] == Self.none ? nil : Int(rows[row]) }

  /// The same seen from B.
  func inverted(count: Int) -> ImageJoin {
    var join = self
    join.rows = [UInt32](repeating: Self.none, count: count)
    for (row, other) in rows.enumerated() where other != Self.none {
      join.rows[Int(other)] = UInt32(row)
    }
    (join.onlyA, join.onlyB) = (onlyB, onlyA)
    return join
  }
}

/// The hash of a row's key and view, and the row.
private struct Identity: Sendable {
  let hash: UInt64
  let row: UInt32

  /// All rows of a dataset, in the order of hashes.
  static func all(of source: any LabelMapSource) throws(RelabelError) -> [Identity] {
    guard source.count < Int(UInt32.max) else {
      throw RelabelError(
        .unsupported,
        "\(source.count) rows are too many to be compared; compare its shards",
        at: Location(file: source.path)
      )
    }
    var identities: [Identity] = []
    identities.reserveCapacity(source.count)
    try source.forEachIdentity { row, key, view in
      // Bytes: to a string, two spellings of one letter are equal, and of keys they are two.
      var (key, hasher) = (key, Hasher())
      key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      hasher.combine(view)
      identities.append(
        Identity(hash: UInt64(bitPattern: Int64(hasher.finalize())), row: UInt32(row))
      )
    }
    identities.sort { $0.hash == $1.hash ? $0.row < $1.row : $0.hash < $1.hash }
    for (one, next) in zip(identities, identities.dropFirst()) where one.hash == next.hash {
      let name = try RowName(Int(next.row), of: source)
      throw RelabelError(
        .m007,
        "rows \(one.row) and \(next.row) are both \(name.text): relabel verify says more",
        at: Location(file: source.path)
      )
    }
    return identities
  }
}

/// The name of a row: image key, and number of the view where rows are views.
struct RowName: Sendable {
  let key: String
  let view: Int?

  init(key: String, view: Int?) { (self.key, self.view) = (key, view) }

  init(_ row: Int, of source: any LabelMapSource) throws(RelabelError) {
    key = try source.key(at: row)
    view = try source.header.views == nil ? nil : source.view(at: row).number
  }

  /// The name for people.
  var text: String { view.map { "\(key), view \($0)" } ?? key }

  var json: JSON {
    .object(["key": .string(key), "view": view.map { .integer(Int64($0)) } ?? .null])
  }
}
