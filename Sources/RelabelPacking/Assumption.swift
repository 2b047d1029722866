import AnnotatorOutputs
import Relabel

/// Something that the packer had to assume, for people and for the index.
public struct Assumption: Hashable, Sendable {
  /// The name of the option or attribute.
  public let name: String
  /// What was taken.
  public let value: String
  /// Why.
  public let reason: String

  init(_ name: String, _ value: String, _ reason: String) {
    (self.name, self.value, self.reason) = (name, value, reason)
  }
}

extension BuildPlan {
  /// What the options leave open and the input does not settle.
  static func assumptions(
    _ header: ShardHeader,
    _ options: PackOptions,
    _ traits: SourceTraits
  ) -> [Assumption] {
    let dialects = traits.dialects.joined(separator: " and ")
    let evidence =
      options.dialect != nil ? "as --dialect says" : traits.evidence.joined(separator: "; ")
    let usual = traits.views == nil ? "by the files' names" : "by the files' contents"
    var list = [Assumption("dialect", dialects, evidence.isEmpty ? usual : evidence)]
    func add(_ isAssumed: Bool, _ name: String, _ value: String, _ reason: String) {
      if isAssumed { list.append(Assumption(name, value, reason)) }
    }
    add(
      options.scoreKind == nil && traits.isKindConvention,
      "score_kind",
      header.scoreKind.rawValue,
      "as in \(dialects) files"
    )
    add(
      options.numClasses == nil && options.classes == nil && traits.areClassesConvention,
      "num_classes",
      "\(header.numClasses)",
      "as in \(dialects) files"
    )
    add(
      options.orientation == nil && traits.orientation == nil,
      "orientation",
      header.orientation.rawValue,
      traits.isReLabelDialect ? "such files don't say" : "as arrays [C, H, W] lie"
    )
    add(options.topK == nil, "top_k", "\(header.shape.topK)", "the default, or what the input has")
    return list
  }
}
