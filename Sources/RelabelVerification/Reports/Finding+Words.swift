internal import Relabel

extension Finding {
  /// What is wrong and how often: `in 312 images, first: …`.
  var sentence: String { repeats.map { "\($0), first: \(message)" } ?? message }

  private var repeats: String? {
    if count == 1 { return nil }
    if images == 0 { return "in \(count) places" }
    let images = "\(images) image\(images == 1 ? "" : "s")"
    return count == self.images ? "in \(images)" : "in \(count) places of \(images)"
  }

  /// Where it is inside its file; empty for the whole file.
  var place: String {
    var inside = location
    inside.file = nil
    return inside.description
  }

  /// The sentence and, in brackets, the place.
  var sentenceWithPlace: String { place.isEmpty ? sentence : "\(sentence) (\(place))" }

  /// The same for the same rule, file and HDF5 dataset, whatever was found there first.
  var fingerprint: String {
    let file = location.file.map(ReportedPath.name) ?? ""
    return Digest.of(Array("\(rule.id)\n\(file)\n\(location.dataset ?? "")".utf8))
  }
}

extension Finding.Silencing {
  /// Who said so and why, in words.
  var sentence: String {
    switch origin {
    case .commandLine: return "silenced on the command line"
    case .baseline: return "known before: it is in the baseline"
    case .configuration:
      let end = until.map { " (until \($0))" } ?? ""
      return "\(reason ?? "silenced by the configuration")\(end)"
    }
  }
}

extension Int {
  /// `1 shard`, `2 shards`.
  func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
