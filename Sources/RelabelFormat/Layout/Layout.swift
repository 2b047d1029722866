/// Names, types, axes and fill values of a shard (spec, "Layout").
package enum Layout {
  package static let classIndex = "class_index"
  package static let score = "score"
  package static let imageIndex = "image_index"
  package static let imageKey = "image_key"
  package static let mapExtent = "map_extent"
  package static let imageSize = "image_size"
  package static let imageSHA256 = "image_sha256"
  package static let sourceLabel = "source_label"
  package static let logNormalizer = "log_normalizer"

  /// The most bytes a chunk may have before filtering.
  package static let maximumChunkBytes = 16 << 20
  /// The most rows or columns of a grid.
  package static let maximumGridSide = 4096
  /// The most attributes an object may have.
  package static let maximumAttributes = 1_000
  /// The most datasets a shard may have.
  package static let maximumDatasets = 100
  /// The most classes a cell may keep.
  package static let maximumTopK = 65_535
  /// The most rows of one chunk.
  package static let maximumRowsPerChunk = 1 << 20
  /// Rows of one chunk of keys or image indexes.
  package static let rowsPerIdentityChunk = 1024

  /// How the rows of one dataset look.
  package struct Column: Hashable, Sendable {
    package let name: String
    package let axes: String
    /// Types a reader accepts.
    package let types: Set<ElementType>
    /// True when values are floats or wide integers whose bytes compress better shuffled.
    package let isShuffled: Bool

    init(_ name: String, axes: String, _ types: Set<ElementType>, isShuffled: Bool) {
      self.name = name
      self.axes = axes
      self.types = types
      self.isShuffled = isShuffled
    }

    /// Names of the attributes that it may have.
    package var attributes: Set<String> {
      switch name {
      case Layout.score:
        ["axes", "encoding", "scale_factor", "add_offset", "_FillValue", "largest_error"]
      case Layout.viewBox: ["axes", Layout.sourceType]
      case Layout.classFactor: ["axes", Layout.quality, Layout.targetError]
      default: ["axes"]
      }
    }

    /// Number of axes.
    package var rank: Int { axes.split(separator: " ").count }

    /// The lengths of all axes but the first, in a shard of such maps.
    package func rowShape(_ map: MapShape, numClasses: Int) -> [Int] {
      axes.split(separator: " ").dropFirst().map { axis in
        switch axis {
        case "y": map.height
        case "x": map.width
        case "rank", "factor": map.topK
        case "class": numClasses
        case "byte": 32
        case "box", "edge": 4
        case "replay": 3
        default: 2
        }
      }
    }
  }

  private static let scoreTypes = Set(ScoreEncoding.Form.allCases.map(\.elementType))

  /// The four datasets of every shard; `image_key` takes any string width.
  package static let required: [Column] = [
    Column(classIndex, axes: "image y x rank", [.uint16, .uint32], isShuffled: false),
    Column(score, axes: "image y x rank", scoreTypes, isShuffled: true),
    Column(imageIndex, axes: "image", [.int64], isShuffled: true),
    Column(imageKey, axes: "image", [], isShuffled: false),
  ]

  /// The attribute of `view_box` that says how the source stored it.
  package static let sourceType = "source_type"

  /// Datasets a shard may have besides.
  package static let optional: [Column] = details + views + factors

  /// Those that need no feature.
  private static let details: [Column] = [
    Column(imageSize, axes: "image axis", [.uint32], isShuffled: true),
    Column(imageSHA256, axes: "image byte", [.uint8], isShuffled: false),
    Column(sourceLabel, axes: "image", [.int32], isShuffled: true),
    Column(mapExtent, axes: "image box", [.float32], isShuffled: true),
    Column(logNormalizer, axes: "image y x", [.float32], isShuffled: true),
  ]

  /// Optional datasets whose rows may hold the fill value: nothing is known, or there is nothing (spec, sections 4.5
  /// and 4.10).
  package static let mayBeUnknown: Set<String> = [
    imageSHA256, sourceLabel, viewFlip, replay, mixupLambda, mixupPartner, cutmixLambda, cutmixBox,
    cutmixPartner,
    operations,
  ]

  /// The type of class ids: 16 bits while every id and the fill fit.
  package static func classIndexType(numClasses: Int) -> ElementType {
    numClasses <= 65_535 ? .uint16 : .uint32
  }

  /// The bytes of "never written": all ones for integers, NaN for floats, zeros for strings.
  package static func fillValue(_ type: ElementType) -> [UInt8] {
    switch type {
    case .float16: [0x00, 0x7E]
    case .float32: [0x00, 0x00, 0xC0, 0x7F]
    case .float64: [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF8, 0x7F]
    case .utf8(let bytes): [UInt8](repeating: 0, count: bytes)
    default: [UInt8](repeating: 0xFF, count: type.size)
    }
  }

  /// The fill value that a creation list defines: none for strings.
  ///
  /// Their default is null bytes already, and netCDF 4.9 copies a defined one over its own memory
  /// (spec, section 19.5).
  package static func definedFillValue(_ type: ElementType) -> [UInt8]? {
    if case .utf8 = type { return nil }
    return fillValue(type)
  }

  /// The filter chain of a dataset (spec, "Filters").
  package static func filters(isShuffled: Bool, deflate level: Int?) -> [Filter] {
    guard let level else { return [.fletcher32] }
    return (isShuffled ? [.shuffle] : []) + [.deflate(level: level), .fletcher32]
  }
}

/// How chunks are compressed (spec, "Filters").
public enum Compression: Hashable, Sendable, CustomStringConvertible {
  /// Deflate at levels from 1 to 12, class ids at one of their own; levels above 9 are libdeflate's own
  /// and recorded as 9.
  case deflate(classIndex: Int, others: Int)
  /// Not at all: for local caches, since the checksum alone misses some damage.
  case none

  /// Deflate at one level.
  public static func deflate(level: Int) -> Compression {
    .deflate(classIndex: level, others: level)
  }

  /// Reads `deflate`, `deflate:LEVEL`, `deflate:IDS,OTHERS` or `none`.
  public init?(_ text: String) {
    if text == "none" {
      self = .none
    } else if text == "deflate" {
      self = .default
    } else if text.hasPrefix("deflate:") {
      let words = text.dropFirst("deflate:".count).split(
        separator: ",",
        omittingEmptySubsequences: false
      )
      let levels = words.compactMap { Int($0) }
      guard (1...2).contains(words.count), levels.count == words.count,
        levels.allSatisfy((1...12).contains)
      else { return nil }
      self = .deflate(classIndex: levels[0], others: levels[levels.count - 1])
    } else {
      return nil
    }
  }

  /// What the packer uses unless told otherwise: longer searches find next to nothing more in ids (spec,
  /// section 18).
  public static let `default`: Compression = .deflate(classIndex: 4, others: 5)

  /// The level for a dataset, nil for none.
  package func level(of dataset: String) -> Int? {
    switch self {
    case .deflate(let classIndex, let others): dataset == Layout.classIndex ? classIndex : others
    case .none: nil
    }
  }

  /// As on the command line.
  public var description: String {
    switch self {
    case .deflate(let classIndex, let others) where classIndex == others: "deflate:\(others)"
    case .deflate(let classIndex, let others): "deflate:\(classIndex),\(others)"
    case .none: "none"
    }
  }
}
