/// What a file asks of its readers beyond its version (spec, section 12.2).
public struct Features: Hashable, Sendable {
  /// Names that a reader must know.
  public let required: [String]
  /// Names that a reader may ignore.
  public let optional: [String]
  /// Why the attributes are not as the spec has them, or nil.
  package let fault: String?

  /// No features at all.
  public static let none: Features = Features(required: noneWord, optional: noneWord)

  /// The feature of shards whose classes don't exclude each other (spec, section 8.6).
  public static let independent: String = "independent"

  /// The feature of shards whose rows are views of images (spec, section 4.10).
  public static let views: String = "views"

  /// Maps are sums of products of factors (spec, section 4.11).
  public static let factors: String = "factors"

  /// The text of an attribute that names no feature: a fixed-length string can't be empty.
  package static let noneWord = "none"

  /// Reads the two attributes.
  package init(required: String, optional: String) {
    self.required = Self.names(required)
    self.optional = Self.names(optional)
    let both = Set(self.required).intersection(self.optional)
    fault =
      Self.fault(required, self.required, "features_required")
      ?? Self.fault(optional, self.optional, "features_optional")
      ?? both.min().map { "feature '\($0)' is required and optional at once" }
  }

  /// These features and one more that readers must know.
  package func requiring(_ name: String) -> Features {
    let names = Set(required + [name]).sorted { ImageKey.precedes($0, $1) }
    return Features(required: Self.text(names), optional: Self.text(optional))
  }

  /// The text of the attribute that holds some names.
  package static func text(_ names: [String]) -> String {
    names.isEmpty ? noneWord : names.joined(separator: " ")
  }

  private static func names(_ text: String) -> [String] {
    text == noneWord ? [] : text.split(separator: " ").map(String.init)
  }

  private static func fault(_ text: String, _ names: [String], _ attribute: String) -> String? {
    if text == noneWord { return nil }
    let isSorted = zip(names, names.dropFirst()).allSatisfy { ImageKey.precedes($0, $1) }
    guard isSorted, text == names.joined(separator: " "), !names.isEmpty else {
      return "attribute '\(attribute)' is '\(text)', not sorted names with one space between"
    }
    let wrong = names.first { name in
      name == noneWord || !(name.first.map { ("a"..."z").contains($0) } ?? false)
        || !name.utf8.allSatisfy(isFeatureByte)
    }
    return wrong.map { "'\($0)' in attribute '\(attribute)' is not the name of a feature" }
  }

  private static func isFeatureByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
