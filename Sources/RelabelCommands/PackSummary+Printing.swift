internal import RelabelPacking
internal import Relabel

extension PackSummary {
  /// The summary for people.
  func lines(output: String, elapsed: Double) -> [String] {
    let count = index.count
    var lines = [
      "\(output): \(counted(count, "image")) in \(counted(index.shards.count, "shard"))",
      "  size      \(outputBytes) bytes, \(bytesPerImage.rounded(to: 1)) an image"
        + ratio.map { ", 1/\($0.rounded(to: 2)) of the input" }.orEmpty,
      targetError == nil
        ? "  error     at most \(largestError) in a score" + boundText.orEmpty : nil,
      targetError.map { "  targets   \($0.text)" },
      factorText.map { "  factors   \($0)" },
      effect.map { "  targets   \($0.text)" },
      cut.map { "  cut       \($0.text(topK))" },
      alternative.map { "  advice    \($0.text)" },
      agreement.text.map { "  labels    \($0)" },
      "  time      \(elapsed.rounded(to: 1)) s, "
        + "\((Double(count) / max(elapsed, 1e-3)).rounded(to: 0)) images a second",
    ].compactMap(\.self)
    if !assumptions.isEmpty {
      let list = assumptions.map { "\($0.name) \($0.value) (\($0.reason))" }
      lines.append("  assumed   " + list.joined(separator: ", "))
    }
    lines += doubts.map { "  doubt     \($0)" }
    if keptShards > 0 {
      lines.append("  kept      \(counted(keptShards, "shard")) that an earlier run finished")
    }
    if remadeShards > 0 {
      lines.append(
        "  remade    \(counted(remadeShards, "shard")) of an earlier run: the input has changed since"
      )
    }
    if exclusions.images > 0 {
      lines.append("  excluded  \(counted(exclusions.images, "image")), as marked")
    }
    lines += listed("no image", exclusions.unmatched)
    lines += listed("left out", index.leftOut.map { "\($0.key): \($0.reason)" })
    lines += listed("copies", copies)
    lines += listed("ignored", ignored)
    lines += listed("no map", unmatchedListLines)
    return lines
  }

  /// How near factors are, and why.
  private var factorText: String? {
    guard let factors = index.options["factors"], let quality = factors["quality"]?.number,
      let count = factors["count"]?.integer
    else { return nil }
    let budget = index.options["factor_budget"]?.string.map { ", settled by the budget of \($0)" }
    return "at most \(count) a map, quality \(quality)" + budget.orEmpty
  }

  private var topK: Int64 {
    if case .integer(let topK)? = index.options["top_k"] { topK } else { 0 }
  }

  private var ratio: Double? {
    inputBytes > 0 && outputBytes > 0 ? Double(inputBytes) / Double(outputBytes) : nil
  }

  private var boundText: String? {
    guard case .number(let bound)? = index.options["max_error"] else { return nil }
    return " (promised: \(bound))"
  }

  /// A count and the first few of a list; all of them stand in the JSON summary.
  private func listed(_ title: String, _ items: [String]) -> [String] {
    guard !items.isEmpty else { return [] }
    let shown = items.prefix(10).map { "            \($0)" }
    let more = items.count > 10 ? ["            and \(items.count - 10) more"] : []
    let padded = title + String(repeating: " ", count: max(1, 10 - title.count))
    return ["  \(padded)\(items.count)"] + shown + more
  }

  /// The summary for programs.
  func json() -> JSON {
    .object([
      "schema_version": .string("1.0"),
      "name": .string(index.name),
      "build_id": .string(index.buildID),
      "images": .integer(Int64(index.count)),
      "shards": .integer(Int64(index.shards.count)),
      "kept_shards": .integer(Int64(keptShards)),
      "remade_shards": .integer(Int64(remadeShards)),
      "output_bytes": .integer(outputBytes),
      "input_bytes": .integer(inputBytes),
      "bytes_per_image": .number(bytesPerImage),
      "largest_error": .number(largestError),
      "targets": effect?.json ?? .null,
      "cut": cut?.json ?? .null,
      "target_error": targetError?.json ?? .null,
      "factors": index.options["factors"] ?? .null,
      "factor_budget": index.options["factor_budget"] ?? .null,
      "source_labels": agreement.json,
      "assumed": .array(
        assumptions.map {
          .object([
            "name": .string($0.name), "value": .string($0.value), "reason": .string($0.reason),
          ])
        }
      ),
      "doubts": .array(doubts.map(JSON.string)),
      "left_out": .array(
        index.leftOut.map { .object(["key": .string($0.key), "reason": .string($0.reason)]) }
      ),
      "excluded": .integer(Int64(exclusions.images)),
      "exclusions_without_image": .array(exclusions.unmatched.map(JSON.string)),
      "equal_copies": .array(copies.map(JSON.string)),
      "ignored": .array(ignored.map(JSON.string)),
      "images_without_map": .array(unmatchedListLines.map(JSON.string)),
    ])
  }
}

extension TargetEffect {
  /// The effect for people.
  fileprivate var text: String {
    "within \(largestChange.significant(.up)) of the input's, "
      + "\(meanChange.significant(.toNearestOrEven)) on average; another top class in "
      + "\(topClassChanges) of \(counted(crops, "random crop"))"
  }

  /// The effect for programs.
  fileprivate var json: JSON {
    .object([
      "images": .integer(Int64(images)),
      "crops": .integer(Int64(crops)),
      "largest_change": .number(largestChange),
      "mean_change": .number(meanChange),
      "top_class_changes": .integer(Int64(topClassChanges)),
      "outranked": .integer(Int64(outranked)),
    ])
  }
}

extension TargetError {
  /// The error for people.
  fileprivate var text: String {
    guard crops > 0 else { return "none of the images is one that is measured" }
    return "mean KL \(meanDivergence.significant(.toNearestOrEven)) nats, half L1 "
      + "\(meanDistance.significant(.toNearestOrEven)), another top class in \(otherTop) of "
      + "\(counted(crops, "random crop")), against the scores of all classes"
  }
}

extension FactorAlternative {
  /// What is weighed, for people.
  fileprivate var text: String {
    func figures(_ error: TargetError) -> String {
      "KL \(error.meanDivergence.significant(.toNearestOrEven)), another top class in "
        + "\(error.otherTop) of \(error.crops) crops"
    }
    return "--maps factors would keep all classes: \(figures(factors)); the best of each cell: "
      + figures(best)
  }
}

extension CutEffect {
  /// The effect for people.
  fileprivate func text(_ topK: Int64) -> String {
    "keeping \(topK) classes of a cell: \(effect)"
  }

  /// What it did to targets.
  fileprivate var effect: String {
    "another top class in \(topClassChanges) of "
      + "\(counted(crops, "random crop")), half of L1 \(meanDistance.significant(.toNearestOrEven)) "
      + "on average, against the scores of all classes"
  }

  /// The effect for programs.
  fileprivate var json: JSON {
    .object([
      "images": .integer(Int64(images)),
      "crops": .integer(Int64(crops)),
      "top_class_changes": .integer(Int64(topClassChanges)),
      "mean_distance": .number(meanDistance),
      "mean_distance_centred": .number(meanCentredDistance),
      "mean_score": .number(meanScore),
    ])
  }
}

extension LabelAgreement {
  /// The agreement for people; nil where no image has a label.
  fileprivate var text: String? {
    guard labelled > 0 else { return nil }
    return "the class of the source is the best one of a cell in \(agreeing) of \(labelled) images"
      + (isDoubtful ? ": classes or pictures must be mixed up" : "")
  }

  /// The agreement for programs.
  fileprivate var json: JSON {
    labelled == 0
      ? .null
      : .object([
        "images": .integer(Int64(labelled)), "agree": .integer(Int64(agreeing)),
      ])
  }
}

extension String? {
  /// The text, or nothing.
  var orEmpty: String { self ?? "" }
}

/// A number with its noun, for example `1 shard`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension Double {
  /// A positive number with two digits that count, or two behind the point, rounded by `rule`.
  fileprivate func significant(_ rule: FloatingPointRoundingRule) -> String {
    guard self > 0 else { return "0" }
    let digits = max(2, 1 - Int(Mathematics.log10(self).rounded(.down)))
    let units = String(Int((self * Mathematics.pow(10, Double(digits))).rounded(rule)))
    let padded = String(repeating: "0", count: max(0, digits + 1 - units.utf8.count)) + units
    return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
  }

  /// The number with so many digits behind the point.
  func rounded(to digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let value = (self * scale).rounded() / scale
    return digits == 0 ? String(Int(value)) : String(value)
  }
}
