import Relabel

/// What ml-dr's configuration says of the files beside it.
struct MLDRConfig {
  /// The augmentations that have parameters.
  enum Step: String, CaseIterable {
    // In the order of the code, which is that of compressed parameters.
    case crop = "random_resized_crop"
    case flip = "random_horizontal_flip"
    case operations = "rand_augment"
    case erase = "random_erase"
    case mixup, cutmix

    /// True for those that a partner has, too.
    var isPaired: Bool { self != .mixup && self != .cutmix }
  }

  /// True where parameters name a partner.
  var mixes: Bool { steps.contains { !$0.isPaired } }

  /// Augmentations without parameters.
  private static let plain: Set<String> = ["uint8", "to_tensor", "normalize"]

  /// Those that were on.
  let steps: [Step]
  /// True where parameters are a list, and not a dictionary.
  let isCompressed: Bool
  let numClasses: Int?
  let size: ViewFacts.Size?
  /// The whole of it as the text of a JSON object, in its own order; whole floats keep their point.
  let text: String

  /// - Throws: `.invalidInput` for something else, `.unsupported` for augmentations that are not known.
  init(_ value: ListValue) throws(RelabelError) {
    let json = try value.json()
    text = try value.jsonText()
    guard let reinforce = json["reinforce"],
      case .object(let augmentations)? = reinforce["image_augmentation"],
      case .bool(let isCompressed)? = reinforce["compress"]
    else {
      throw RelabelError(
        .invalidInput,
        "this is not a configuration of ml-dr: 'reinforce' lacks 'image_augmentation' or 'compress'"
      )
    }
    let enabled = augmentations.filter { $0.value["enable"] != .bool(false) }.map(\.key)
    if let unknown = enabled.filter({ Step(rawValue: $0) == nil && !Self.plain.contains($0) }).min()
    {
      throw RelabelError(
        .unsupported,
        "the pictures were augmented by '\(unknown)', whose parameters are not known here"
      )
    }
    steps = Step.allCases.filter { enabled.contains($0.rawValue) }
    guard steps.contains(.crop) else {
      throw RelabelError(
        .unsupported,
        "the views are no random crops: 'random_resized_crop' is off"
      )
    }
    self.isCompressed = isCompressed
    numClasses = json["num_classes"]?.count
    switch augmentations[Step.crop.rawValue]?["size"] {
    case .integer(let side)? where side > 0:
      size = ViewFacts.Size(height: Int(side), width: Int(side))
    case .array(let sides)? where sides.count == 2 && sides.allSatisfy({ ($0.count ?? 0) > 0 }):
      size = ViewFacts.Size(height: sides[0].count ?? 0, width: sides[1].count ?? 0)
    default: size = nil
    }
  }
}

extension ListValue {
  /// The value as JSON: tuples and lists are arrays, NumPy's whole numbers are numbers.
  ///
  /// - Throws: `.invalidInput` for what JSON has no form for.
  func json() throws(RelabelError) -> JSON {
    switch self {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .integer(Int64(value))
    case .float(let value) where value.isFinite: return .number(value)
    case .string(let text): return .string(text)
    case .scalar(let scalar) where !scalar.scalar.isFloat:
      return .integer(Int64(NumberTable(scalar).number(0)))
    case .tuple(let items), .list(let items):
      return .array(try items.map { item throws(RelabelError) in try item.json() })
    case .integers(let numbers): return .array(numbers.map { .integer(Int64($0)) })
    case .dictionary(let items):
      var members: [String: JSON] = [:]
      for place in stride(from: 0, to: items.count, by: 2) {
        guard case .string(let name) = items[place] else { break }
        members[name] = try items[place + 1].json()
      }
      guard members.count * 2 == items.count else { break }
      return .object(members)
    default: break
    }
    throw RelabelError(.invalidInput, "the parameters hold something that is no plain value")
  }

  /// The same as text in which floats stay floats, `1.0`, and members keep their order.
  ///
  /// - Throws: as `json`.
  func jsonText() throws(RelabelError) -> String {
    switch self {
    case .float(let value) where value.isFinite: return "\(value)"
    case .tuple(let items), .list(let items):
      let texts = try items.map { item throws(RelabelError) in try item.jsonText() }
      return "[\(texts.joined(separator: ","))]"
    case .dictionary(let items):
      var members: [String] = []
      for place in stride(from: 0, to: items.count, by: 2) {
        members.append("\(try items[place].jsonText()):\(try items[place + 1].jsonText())")
      }
      return "{\(members.joined(separator: ","))}"
    default: return String(decoding: try json().canonical(), as: UTF8.self)
    }
  }

  /// The value of a name in a dictionary.
  subscript(name: String) -> ListValue? {
    guard case .dictionary(let items) = self else { return nil }
    for place in stride(from: 0, to: items.count, by: 2) where items[place] == .string(name) {
      return items[place + 1]
    }
    return nil
  }
}
