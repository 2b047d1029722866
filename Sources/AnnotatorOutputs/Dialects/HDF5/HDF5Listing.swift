import Relabel

/// The arrays of an HDF5 file, in little memory: there may be one for each image.
struct HDF5Listing {
  /// What many arrays have in common: all but the path, with what is stored left out.
  private(set) var kinds: [ForeignArray] = []
  private var numbers: [ForeignArray: UInt32] = [:]
  private var kindOf: [UInt32] = []
  private(set) var names = NameTable()

  /// More kinds are refused: maps of one dataset have one shape.
  private static let maximumKinds = 4096

  /// Lists the file at `path`.
  init(_ path: String, _ reader: any ForeignArrays) throws(RelabelError) {
    let bytes = try Folder.fileBytes(path)
    var listing = HDF5Listing()
    try reader.list(path) { array throws(RelabelError) in
      try listing.append(Self.checked(array, of: Int(bytes)))
    }
    self = listing
  }

  private init() {}

  /// The array, or one with a fault where its file can't hold it.
  private static func checked(_ array: ForeignArray, of fileBytes: Int) -> ForeignArray {
    guard array.fault == nil else { return array }
    let (stored, data) = (min(array.storedBytes, fileBytes), array.dataBytes)
    guard data > 64 << 20, data / 1000 > stored else { return array }
    return ForeignArray(
      path: array.path,
      fault: "its shape \(array.shape) needs \(data) bytes, and \(stored) are stored",
      isUnsafe: true
    )
  }

  private mutating func append(_ array: ForeignArray) throws(RelabelError) {
    var kind = array
    (kind.path, kind.storedBytes) = ("", 0)
    if let number = numbers[kind] {
      kindOf.append(number)
    } else {
      guard kinds.count < Self.maximumKinds else {
        throw RelabelError(
          .invalidInput,
          "the file has arrays of more than \(Self.maximumKinds) kinds and shapes; maps have one"
        )
      }
      numbers[kind] = UInt32(kinds.count)
      kindOf.append(UInt32(kinds.count))
      kinds.append(kind)
    }
    names.append(array.path)
  }

  var count: Int { kindOf.count }

  /// The kind of an array.
  func kind(_ place: Int) -> Int { Int(kindOf[place]) }

  func name(_ place: Int) -> String { names[place] }

  /// The array, without what is stored of it.
  subscript(place: Int) -> ForeignArray {
    var array = kinds[kind(place)]
    array.path = names[place]
    return array
  }

  /// Where the arrays are whose kind fulfils a condition.
  func places(where isWanted: (ForeignArray) -> Bool) -> [Int] {
    let wanted = kinds.map(isWanted)
    return (0..<count).filter { wanted[kind($0)] }
  }

  /// The array with a path, or nil.
  func place(of path: String) -> Int? { names.firstIndex(of: path) }

  /// Some arrays in words, for who has to choose.
  func words(_ places: some Collection<Int>) -> String {
    let shown = places.prefix(8).map { self[$0].words }
    let rest = places.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}

extension ForeignArray {
  /// Path, shape and type, for people.
  var words: String { fault == nil ? "'\(path)' \(shape) of \(typeWords)" : "'\(path)'" }

  /// The type, for people.
  var typeWords: String {
    (scalar?.typeName ?? type) + (isBigEndian ? " (big-endian)" : "")
  }

  /// The type of its numbers as they are handed over; nil for text.
  var scalar: NumPyScalar? {
    guard type != Self.text, let digit = type.last?.wholeNumberValue else { return nil }
    switch (type.first, digit) {
    case ("f", 2): return .float16
    case ("f", 4): return .float32
    case ("f", 8): return .float64
    case ("u", 1), ("u", 2), ("u", 4), ("u", 8): return .unsigned(digit)
    case ("i", 1), ("i", 2), ("i", 4), ("i", 8): return .signed(digit)
    default: return nil
    }
  }

  /// True for floating numbers along at least one axis.
  var isFloat: Bool { scalar?.isFloat == true && !shape.isEmpty }

  /// True for whole numbers along at least one axis.
  var isWhole: Bool { scalar.map { !$0.isFloat } == true && !shape.isEmpty }

  /// True for texts along one axis.
  var isTexts: Bool { type == Self.text && shape.count == 1 }

  /// What an array fails with that is not read.
  var failure: RelabelError? {
    fault.map {
      RelabelError(isUnsafe ? .unsafeInput : .invalidInput, $0, at: Location(dataset: path))
    }
  }
}
