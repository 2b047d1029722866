import Glibc
import Relabel
import Testing

/// The pooling vectors of the spec, section 13.8.
struct PoolingVector: CustomTestStringConvertible, Sendable {
  let name: String
  let header: ShardHeader
  let map: LabelMap
  let box: CropBox
  let profile: PoolingProfile?
  let outside: OutsideExtent
  /// The dense target and the covered share; nil for a case that has to be refused.
  let expected: (target: [Double], covered: Double)?
  var testDescription: String { name }

  /// The folder `spec` of this checkout.
  static var specFolder: String {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/spec"
  }

  /// Every case of every file.
  static let all: [PoolingVector] = {
    do {
      return try load()
    } catch {
      Issue.record(error)
      return []
    }
  }()

  private static func load() throws -> [PoolingVector] {
    let folder = "\(specFolder)/conformance/pooling"
    let files = try Folder.names(folder).filter { $0.hasSuffix(".json") }.sorted()
    return try files.flatMap { file in
      let document = try JSON(parsing: Folder.contents("\(folder)/\(file)", limit: 1 << 24))
      return try #require(document["cases"]?.array).map { try PoolingVector($0, document) }
    }
  }

  private init(_ json: JSON, _ document: JSON) throws {
    func text(_ json: JSON?) throws -> String { try #require(json?.string) }
    name = try text(json["name"])
    let mapName = try text(json["map"])
    let map = try #require(document["maps"]?[mapName])
    let about = try #require(json["header"])
    func whole(_ json: JSON, _ member: String) throws -> Int {
      Int(try #require(json[member]?.number))
    }
    func word<Value: RawRepresentable>(_ type: Value.Type, _ json: JSON?) throws -> Value
    where Value.RawValue == String {
      let text = try text(json)
      return try #require(Value(rawValue: text))
    }
    func numbers(_ json: JSON?) throws -> [Double] {
      try #require(json?.array).map { side in
        if let word = side.string { return try #require(Double(word)) }
        return try #require(side.number)
      }
    }
    let shape = MapShape(
      height: try whole(map, "height"),
      width: try whole(map, "width"),
      topK: try whole(map, "top_k")
    )
    let kind = try word(ScoreKind.self, about["score_kind"])
    var header = ShardHeader(
      numClasses: try whole(about, "num_classes"),
      scoreKind: kind,
      shape: shape,
      encoding: try ScoreEncoding(.float32, for: kind),
      keyBytes: 1,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: nil)
    )
    if about["classes_are"] != nil { header.declareIndependent() }
    header.fill = try word(Fill.self, about["fill"])
    header.temperature = try #require(about["temperature"]?.number)
    header.orientation = try word(Orientation.self, about["orientation"])
    let covered = try numbers(about["map_extent"])
    let extent = try #require(CropBox(components: covered))
    var labels = LabelMap(
      shape: shape,
      classIndex: try numbers(map["class_index"]).map { UInt32($0) },
      score: try numbers(map["score"]).map { Float($0) },
      extent: extent
    )
    if map["class_factor"] != nil {
      header.declareFactors()
      labels.factors = ClassFactors(
        numClasses: header.numClasses,
        numbers: try numbers(map["class_factor"]).map { UInt8($0 + 127) },
        scale: try numbers(map["factor_scale"]).map { Float($0) }
      )
    }
    self.header = header
    self.map = labels
    let sides = try numbers(json["box"])
    box = CropBox(top: sides[0], left: sides[1], height: sides[2], width: sides[3])
    profile = json["profile"]?.string == nil ? nil : try word(PoolingProfile.self, json["profile"])
    outside = json["outside"]?.string == "clamp" ? .clamp : .error
    guard let expected = json["expected"] else {
      self.expected = nil
      return
    }
    var target = [Double](repeating: expected["rest"]?.number ?? .nan, count: header.numClasses)
    let probabilities = try numbers(expected["probability"])
    for (id, probability) in zip(try numbers(expected["class_index"]), probabilities) {
      target[Int(id)] = probability
    }
    self.expected = (target, try #require(expected["covered"]?.number))
  }

  /// The largest difference of a target from what is expected.
  func error(of target: [some BinaryFloatingPoint]) -> Double {
    guard let expected, expected.target.count == target.count else { return .infinity }
    return zip(expected.target, target).reduce(0) { worst, pair in
      // Not a number is not a small difference.
      let difference = abs(pair.0 - Double(pair.1))
      return difference.isNaN ? .infinity : max(worst, difference)
    }
  }
}
