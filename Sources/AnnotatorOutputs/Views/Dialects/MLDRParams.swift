import Relabel

/// The parameters of one view: what its columns hold, and the whole.
struct MLDRParams {
  private(set) var crop: [Int] = []
  private(set) var isFlipped: Bool?
  private(set) var mixup: ViewMix?
  private(set) var cutmix: ViewMix?
  private(set) var module: NumPyModule?
  let json: JSON

  /// - Throws: `.invalidInput` for parameters of other types than the writer gives: an export could not restore them.
  init(_ params: ListValue, _ config: MLDRConfig) throws(RelabelError) {
    json = try params.json()
    var values: [MLDRConfig.Step: ListValue] = [:]
    let partner: ListValue
    if config.isCompressed {
      let first = config.mixes ? 1 : 0
      guard let items = params.items, items.count == config.steps.count + first else {
        throw Self.wrong("are no list of \(config.steps.count + first)")
      }
      partner = config.mixes ? items[0] : .none
      for (step, value) in zip(config.steps, items.dropFirst(first)) { values[step] = value }
    } else {
      guard let id = params["id2"] else { throw Self.wrong("have no 'id2'") }
      partner = id
      for step in config.steps { values[step] = params[step.rawValue] }
    }
    var number: Int?
    switch partner {
    case .none: break
    case .int(let value) where value >= 0: number = value
    default: throw Self.wrong("name a partner that is no number")
    }
    for step in config.steps {
      guard let value = values[step] else { throw Self.wrong("lack '\(step.rawValue)'") }
      try read(step, value, partner: number, isCompressed: config.isCompressed)
    }
  }

  private mutating func read(
    _ step: MLDRConfig.Step,
    _ value: ListValue,
    partner: Int?,
    isCompressed: Bool
  ) throws(RelabelError) {
    switch step {
    case .mixup: mixup = try Self.mixup(value, partner)
    case .cutmix: try readCutmix(value, partner, isCompressed: isCompressed)
    default:
      let both: [ListValue]
      if isCompressed, partner == nil {
        both = [value]
      } else if isCompressed, case .list(let pair) = value, pair.count == 2 {
        both = pair
      } else if !isCompressed, case .tuple(let pair) = value, pair.count == 2 {
        both = pair
      } else {
        throw Self.wrong("have no pair for '\(step.rawValue)'")
      }
      for (place, value) in both.enumerated() {
        try read(step, value, isOwn: place == 0, isCompressed: isCompressed)
      }
    }
  }

  private mutating func read(
    _ step: MLDRConfig.Step,
    _ value: ListValue,
    isOwn: Bool,
    isCompressed: Bool
  ) throws(RelabelError) {
    switch (step, value) {
    case (.crop, .tuple(let sides)):
      let box = try Self.box(sides)
      if isOwn { crop = box }
    case (.flip, .bool(let isFlipped)):
      if isOwn { self.isFlipped = isFlipped }
    case (.erase, .none), (.operations, .none): break
    case (.erase, .tuple(let sides)):
      guard sides.count == 4, sides.allSatisfy({ if case .int = $0 { true } else { false } }) else {
        throw Self.wrong("have an erased box that is not top, left, height and width")
      }
    case (.operations, .list(let operations)):
      for operation in operations {
        guard case .tuple(let parts) = operation, parts.count == 2, case .float = parts[1],
          Self.isName(parts[0], isCompressed: isCompressed)
        else { throw Self.wrong("have an operation that is not (operation, magnitude)") }
      }
    default: throw Self.wrong("have a '\(step.rawValue)' of another form than the writer's")
    }
  }

  private static func box(_ sides: [ListValue]) throws(RelabelError) -> [Int] {
    var box: [Int] = []
    for side in sides {
      guard case .int(let pixels) = side, (0...Int(Int32.max)).contains(pixels) else { break }
      box.append(pixels)
    }
    guard box.count == 4, sides.count == 4, box[2] > 0, box[3] > 0 else {
      throw wrong("have a box that is not top, left, height and width")
    }
    return box
  }

  private static func mixup(
    _ value: ListValue,
    _ partner: Int?
  ) throws(RelabelError) -> ViewMix? {
    switch value {
    case .none: return nil
    case .float(let lambda) where partner != nil && (0...1).contains(lambda):
      return ViewMix(lambda: lambda, partner: partner)
    default: throw wrong("have a 'mixup' that is no share of a partner")
    }
  }

  /// True for what names an operation: its place in the table of the code, or its name.
  private static func isName(_ value: ListValue, isCompressed: Bool) -> Bool {
    switch value {
    case .int: isCompressed
    case .string: !isCompressed
    default: false
    }
  }

  private mutating func readCutmix(
    _ value: ListValue,
    _ partner: Int?,
    isCompressed: Bool
  ) throws(RelabelError) {
    let (lambda, items): (ListValue?, ArraySlice<ListValue>)
    switch value {
    case .none: return
    case .list(let parts) where isCompressed: (lambda, items) = (parts.first, parts.dropFirst())
    case .tuple(let parts) where !isCompressed && parts.count == 2:
      guard case .tuple(let sides) = parts[1] else { fallthrough }
      (lambda, items) = (parts[0], sides[...])
    default: (lambda, items) = (nil, [])
    }
    guard case .float(let lambda)? = lambda, items.count == 4, partner != nil,
      (0...1).contains(lambda)
    else { throw Self.wrong("have a 'cutmix' that is no share of a partner and a box") }
    var box: [Int] = []
    for side in items {
      guard case .scalar(let scalar) = side, scalar.scalar == .int64,
        let pixels = Int32(exactly: NumberTable(scalar).number(0))
      else { throw Self.wrong("have a 'cutmix' whose box is not of NumPy's int64") }
      module = scalar.module
      box.append(Int(pixels))
    }
    guard box[0] >= 0, box[1] >= 0, box[0] <= box[2], box[1] <= box[3] else {
      throw Self.wrong("have a 'cutmix' whose box is not top, left, bottom and right")
    }
    cutmix = ViewMix(lambda: lambda, partner: partner, box: box)
  }

  private static func wrong(_ what: String) -> RelabelError {
    RelabelError(.invalidInput, "the parameters \(what)")
  }
}
