public import ArgumentParser
internal import Relabel

/// `relabel info`: what a shard or dataset is.
public struct InfoCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe a shard or dataset: annotator, classes, counts, and the size of each part.",
    discussion: readingExitCodes
  )

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(help: "The form of the output: text or json.")
  var format: OutputFormat = .text

  /// Makes the command.
  public init() {}

  /// Prints the description.
  public func run() throws {
    do {
      let info = try Info(openLabelMaps(path))
      switch format {
      case .text: try Output.lines(info.lines(path: path))
      case .json: try Output.document(info.json().pretty())
      }
    } catch {
      throw Exit.failing(error)
    }
  }
}

/// What `relabel info` tells.
private struct Info {
  let header: ShardHeader
  let images: Int
  let shards: Int
  let leftOut: Int
  let bytes: Int64
  /// Stored bytes of each dataset, over all shards.
  let parts: [(name: String, bytes: Int64)]
  let largestError: Double?
  /// What the shards together say; nil unless each says something.
  let targetError: TargetError?

  init(_ source: any LabelMapSource) throws(RelabelError) {
    let readers = try source.shards
    guard let first = readers.first else {
      throw RelabelError(.notFound, "the dataset has no shards")
    }
    header = first.header
    shards = readers.count
    images = readers.reduce(0) { $0 + $1.count }
    leftOut = (source as? ShardedDataset)?.index.leftOut.count ?? 0
    largestError = readers.compactMap(\.largestError).max()
    targetError = TargetError(ofShards: readers.map(\.targetError))
    var total: Int64 = 0
    var sums: [(name: String, bytes: Int64)] = []
    for reader in readers {
      let sizes = try reader.sizes()
      total += sizes.total
      if sums.isEmpty { sums = sizes.datasets.map { ($0.name, 0) } }
      for (place, part) in sizes.datasets.enumerated() where place < sums.count {
        sums[place].bytes += part.bytes
      }
    }
    bytes = total
    parts = sums
  }

  func lines(path: String) -> [String] {
    let shape = header.shape
    let perImage = { (bytes: Int64) in (Double(bytes) / Double(max(images, 1))).rounded(to: 1) }
    var lines = [
      "\(path): relabel format \(header.version), "
        + "\(counted(images, header.views == nil ? "image" : "view")) in \(counted(shards, "shard"))",
      "  annotator    \(header.metadata.annotatorName ?? "not documented")",
      "  classes      \(header.numClasses)"
        + (header.metadata.classes == nil ? ", no names" : ", with names"),
      "  maps         \(shape)\(header.hasFactors ? " factors of all classes" : ""), orientation \(header.orientation.rawValue)",
      "  scores       \(header.scoreKind.rawValue), \(header.classesAre.rawValue) classes, absent ones "
        + "\(header.fill.rawValue), "
        + "temperature \(header.temperature)",
      "  stored as    \(header.encoding.name.rawValue)" + encodingText,
      "  order        cells by \(header.cellOrder.rawValue), rows \(header.rowOrder)",
      "  chunks       \(header.imagesPerChunk) images, \(header.compression)",
      "  writer       \(header.writer), build \(header.buildID.prefix(12))",
    ]
    if let factorText { lines.append("  factors      \(factorText)") }
    if let views = header.views { lines.append("  views        \(words(of: views))") }
    if leftOut > 0 { lines.append("  left out     \(leftOut) images, named in index.json") }
    lines.append("  size         \(bytes) bytes, \(perImage(bytes)) an image")
    for (name, bytes) in parts + [("structure", bytes - parts.reduce(0) { $0 + $1.bytes })] {
      let padded = name + String(repeating: " ", count: max(1, 12 - name.count))
      lines.append("    \(padded) \(bytes) bytes, \(perImage(bytes)) an image")
    }
    return lines
  }

  private var factorText: String? {
    guard header.hasFactors else { return nil }
    let quality = header.factorQuality.map { "quality \($0)" } ?? "of a quality that is not stated"
    guard let targetError, targetError.crops > 0 else { return quality + ", not measured" }
    return "\(quality); \(counted(targetError.crops, "random crop")) of "
      + "\(counted(targetError.images, "image")): mean KL \(targetError.meanDivergence.rounded(to: 4)) nats, half L1 "
      + "\(targetError.meanDistance.rounded(to: 4)), another top class in \(targetError.otherTop)"
  }

  private func words(of views: ViewFacts) -> String {
    let document = header.metadata.json["views"]
    func word(_ name: String) -> String? { document?[name]?.string?.printable }
    return [
      word("dialect").map { "from \($0)" } ?? "of crops",
      views.size.map { "\($0.height) × \($0.width) pixels" },
      views.boxType.map { "boxes \($0.rawValue)" },
      word("interpolation"),
      word("teacher_mode").map { "teacher in \($0) mode" },
    ].compactMap(\.self).joined(separator: ", ")
  }

  private var encodingText: String {
    let packing = header.encoding.packing.map { ", step \($0.step) from \($0.offset)" } ?? ""
    return packing + (largestError.map { ", largest error \($0)" } ?? "")
  }

  private var viewMembers: [String: JSON] {
    guard let views = header.views else { return [:] }
    return [
      "views": header.metadata.json["views"] ?? .null,
      "view_size": views.size.map {
        .array([.integer(Int64($0.height)), .integer(Int64($0.width))])
      } ?? .null,
      "box_type": .optional(views.boxType?.rawValue),
    ]
  }

  func json() -> JSON {
    let members: [String: JSON] = [
      "format_version": .string("\(header.version)"),
      "images": .integer(Int64(images)),
      "shards": .integer(Int64(shards)),
      "left_out": .integer(Int64(leftOut)),
      "bytes": .integer(bytes),
      "dataset_bytes": .object(
        Dictionary(uniqueKeysWithValues: parts.map { ($0.name, .integer($0.bytes)) })
      ),
      "num_classes": .integer(Int64(header.numClasses)),
      "height": .integer(Int64(header.shape.height)),
      "width": .integer(Int64(header.shape.width)),
      "top_k": .integer(Int64(header.shape.topK)),
      "score_kind": .string(header.scoreKind.rawValue),
      "has_factors": .bool(header.hasFactors),
      "classes_are": .string(header.classesAre.rawValue),
      "fill": .string(header.fill.rawValue),
      "temperature": .number(header.temperature),
      "score_encoding": .string(header.encoding.name.rawValue),
      "largest_error": .optional(largestError),
      "factor_quality": .optional(header.factorQuality),
      "target_error": targetError?.json ?? .null,
      "cell_order": .string(header.cellOrder.rawValue),
      "row_order": .string("\(header.rowOrder)"),
      "orientation": .string(header.orientation.rawValue),
      "map_extent": .array(header.mapExtent.components.map { .number($0) }),
      "images_per_chunk": .integer(Int64(header.imagesPerChunk)),
      "compression": .string("\(header.compression)"),
      "writer": .string(header.writer),
      "build_id": .string(header.buildID),
      "annotator": header.metadata.json["annotator"] ?? .null,
      "classes_sha256": .optional(header.metadata.classesDigest),
    ]
    return .object(members.merging(viewMembers) { own, _ in own })
  }
}
