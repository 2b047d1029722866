/// An error that says what is wrong, where, and what to do about it.
///
/// Codes are open: more may be added in a minor version.
public struct RelabelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is; it decides the exit code of the command-line tools.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The stable name of the code.
    public let rawValue: String

    /// Makes a code from its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Input that breaks its own format's rules: truncated, out of range, contradictory.
    public static let invalidInput: Code = Code(rawValue: "invalid-input")
    /// Input that could do harm: code in a pickle, paths that leave the folder, a zip bomb.
    public static let unsafeInput: Code = Code(rawValue: "unsafe-input")
    /// A published file that is damaged.
    public static let corrupt: Code = Code(rawValue: "corrupt")
    /// A file that needs a newer reader.
    public static let unsupported: Code = Code(rawValue: "unsupported")
    /// A key, row or file that is not there.
    public static let notFound: Code = Code(rawValue: "not-found")
    /// Options that contradict each other or the existing output.
    public static let usage: Code = Code(rawValue: "usage")
    /// The operating system refused: permissions, a full disk.
    public static let io: Code = Code(rawValue: "io")
    /// A defect of this library.
    public static let internalFault: Code = Code(rawValue: "internal")

    /// The stable name of the code.
    public var description: String { rawValue }

    /// The number of the code: how commands exit and what the C interface returns.
    public var status: Int32 {
      switch self {
      case .usage: 64
      case .io: 74
      case .invalidInput, .corrupt: 5
      case .unsafeInput: 4
      case .unsupported: 6
      case .notFound: 66
      default: 70
      }
    }
  }

  /// What kind of failure this is.
  public let code: Code
  /// One line for the user: what is wrong and what to do.
  public let message: String
  /// Where it happened, as far as known.
  public var location: Location

  /// Makes an error.
  public init(_ code: Code, _ message: String, at location: Location = Location()) {
    self.code = code
    self.message = message
    self.location = location
  }

  /// One line: the location, then the message.
  public var description: String {
    (location.isEmpty ? message : "\(location): \(message)").printable
  }

  /// The same error with the parts of `outer` that its own location lacks.
  public func located(_ outer: Location) -> RelabelError {
    var copy = self
    copy.location = location.filled(from: outer)
    return copy
  }
}

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
