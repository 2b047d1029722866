/// A place in a file: which dataset, which image, which cell.
public struct Location: Hashable, Sendable, CustomStringConvertible {
  /// The file's path, or `archive.tar:member`.
  public var file: String?
  /// The HDF5 dataset or array member.
  public var dataset: String?
  /// The key of the image.
  public var key: String?
  /// The row of the image on axis 0.
  public var row: Int?
  /// The cell of the grid.
  public var cell: Cell?

  /// One cell of the grid, and one rank in it when that is known.
  public struct Cell: Hashable, Sendable, CustomStringConvertible {
    /// The row of the grid, 0 at the top of the stored array.
    public let y: Int
    /// The column of the grid.
    public let x: Int
    /// The position in the top-k list, 0 = best.
    public let rank: Int?

    /// Makes a cell.
    public init(y: Int, x: Int, rank: Int? = nil) {
      self.y = y
      self.x = x
      self.rank = rank
    }

    /// For example `cell (3, 14) rank 2`.
    public var description: String {
      rank.map { "cell (\(y), \(x)) rank \($0)" } ?? "cell (\(y), \(x))"
    }
  }

  /// Makes a location.
  public init(
    file: String? = nil,
    dataset: String? = nil,
    key: String? = nil,
    row: Int? = nil,
    cell: Cell? = nil
  ) {
    self.file = file
    self.dataset = dataset
    self.key = key
    self.row = row
    self.cell = cell
  }

  /// True when nothing is known.
  public var isEmpty: Bool { self == Location() }

  /// This location with the parts of `outer` that it lacks.
  public func filled(from outer: Location) -> Location {
    Location(
      file: file ?? outer.file,
      dataset: dataset ?? outer.dataset,
      key: key ?? outer.key,
      row: row ?? outer.row,
      cell: cell ?? outer.cell
    )
  }

  /// The parts that are known, from the file inwards.
  public var description: String {
    var parts: [String] = []
    if let file { parts.append(file) }
    if let dataset { parts.append(dataset) }
    if let key { parts.append("image '\(key)'") }
    if let row, key == nil { parts.append("row \(row)") }
    if let cell { parts.append("\(cell)") }
    return parts.joined(separator: ", ")
  }
}
