internal import Relabel

extension DatasetDifference {
  /// The difference for people: what is equal is not listed.
  package var lines: [String] {
    ["A: \(side(a, headerA))", "B: \(side(b, headerB))", "verdict: \(verdictText)"] + headerLines
      + imageLines + idLines + scoreLines + targetLines
      + movedLines("images whose best class is another", tally.movedImages, of: tally.images)
      + movedLines("cells whose best class is another", tally.movedCells, of: tally.cells.cells)
      + changedLines
  }

  /// The verdict, with the tolerance where it decides.
  var verdictText: String {
    guard verdict == .withinTolerance else { return verdict.text }
    switch options.tolerance {
    case .number(let number): return "\(verdict.text) of \(number)"
    case .encodings: return "the labels are the same within what the encodings promise"
    }
  }

  private func side(_ source: any LabelMapSource, _ header: ShardHeader) -> String {
    let rows = header.views == nil ? "images" : "views"
    let shape = header.shape
    let kept =
      header.hasFactors
      ? "\(shape.height)×\(shape.width), \(shape.topK) factors" : shape.description
    return "\(source.path): \(source.count) \(rows), \(kept), \(header.encoding.text)"
      + (header.metadata.annotatorName.map { ", annotator \($0)" } ?? "")
  }

  private var headerLines: [String] {
    if headers.facts.isEmpty { return ["headers: equal"] }
    return ["headers:"]
      + headers.facts.map { fact in
        "  \(fact.name): \(fact.a) in A, \(fact.b) in B" + (fact.counts ? "" : " (no other labels)")
      } + (match.numbers == nil ? [] : ["  classes are matched \(match.manner)"])
  }

  private var imageLines: [String] {
    let rows = headerA.views == nil ? "images" : "views"
    var lines = [
      "\(rows): \(tally.images) in both, \(onlyA.count) only in A, \(onlyB.count) only in B"
    ]
    if tally.images == 0, a.count > 0, b.count > 0 {
      lines.append("  no key is in both: is one a path with, the other without a folder in front?")
    }
    return lines + names("only in A", onlyA) + names("only in B", onlyB)
      + names("maps that cover another part of the picture", tally.otherExtents)
      + names("views of another crop, flip or mix", tally.otherViews)
  }

  private func names(_ what: String, _ list: NameList) -> [String] {
    if list.count == 0 { return [] }
    let more =
      list.count > list.names.count ? ["    … and \(list.count - list.names.count) more"] : []
    return ["  \(what): \(list.count)"] + list.names.map { "    \($0.text)" } + more
  }

  private var idLines: [String] {
    if let obstacle = cells.obstacle { return ["classes: not compared: \(obstacle)"] }
    let found = tally.cells
    var lines = [
      "classes: \(found.differingCells) of \(found.cells) cells have others\(share(found.differingCells, found.cells))"
        + "; \(found.onlyA) entries only in A, \(found.onlyB) only in B, \(found.common) in both"
        + "; \(found.differingImages) images differ in classes or scores"
    ]
    if headerA.hasFactors || headerB.hasFactors {
      lines.append(
        "  of maps of factors the best classes of each cell are compared, less the mean of the others"
      )
    }
    if found.otherFactors > 0 {
      lines.append(
        "  \(found.otherFactors) images have the same best classes and scores, and other factors"
      )
    }
    if found.isNearerTransposed {
      lines.append(
        "  the best class of \(found.otherBest) cells is another, but of \(found.otherBestTransposed)"
          + " if one grid is transposed: see the orientation"
      )
    }
    return lines
  }

  private var scoreLines: [String] {
    if cells.obstacle != nil { return [] }
    if let obstacle = cells.scoreObstacle { return ["scores: not compared: \(obstacle)"] }
    let (found, count) = (tally.cells.scores, tally.cells.common)
    if found.differing == 0 { return ["scores: all \(count) that both have are equal"] }
    let promise =
      !cells.promises
      ? "factors promise nothing of single scores"
      : found.beyondEncodings == 0
        ? "none by more than the encodings promise"
        : "\(found.beyondEncodings) by more than the encodings promise"
    return [
      "scores: \(found.differing) of \(count) that both have differ, by at most \(found.highest.short)"
        + ", by \((found.sum / Double(count)).short) on the mean of all; \(promise)"
    ]
      + histogram(found.histogram)
  }

  private var targetLines: [String] {
    let found = tally.targets
    var lines: [String] = []
    if found.apart > 0 {
      lines.append(
        "targets: the maps of \(found.apart) images have no part of the picture in common"
      )
    }
    guard let mean = found.meanHalfL1 else { return lines }
    lines.append(
      "targets: \(options.crops) random crops an image (seed \(options.seed)): half L1 \(mean.short) on the mean"
        + ", at most \(found.highestHalfL1.short); another best class in \(found.otherTop) of \(found.crops)\(share(found.otherTop, found.crops))"
    )
    if let kl = found.meanKL {
      lines.append(
        "  KL(A ‖ B) \(kl.short) on the mean, at most \(found.highestKL.short)"
          + (found.divergences < found.crops ? ", defined for \(found.divergences) crops" : "")
      )
    }
    return lines + (found.highestHalfL1 > 0 ? histogram(found.histogram) : [])
  }

  private func histogram(_ histogram: DifferenceHistogram) -> [String] {
    histogram.counts.enumerated().compactMap { place, count in
      if count == 0 { return nil }
      let isLast = place == histogram.limits.count
      let limit = histogram.limits[isLast ? place - 1 : place].short
      return "    \(isLast ? "above" : place == 0 ? "exactly" : "up to") \(limit): \(count)"
    }
  }

  private func movedLines(_ what: String, _ moved: MovedClasses, of total: Int) -> [String] {
    if moved.total == 0 { return [] }
    return ["\(what): \(moved.total) of \(total)\(share(moved.total, total))"]
      + moved.top(options.listed).map { pair, count in
        "  \(count): \(label(pair.from)) → \(label(pair.to))"
      }
      + (moved.shortBy > 0 ? ["  each count may be short by \(moved.shortBy)"] : [])
  }

  /// A count of a total in percent.
  private func share(_ count: Int, _ total: Int) -> String {
    count == 0 || total == 0 ? "" : " (\((Double(count) / Double(total) * 100).short) %)"
  }

  private func label(_ number: UInt32) -> String {
    let isOfA = Int(number) < match.countA
    return
      "\(isOfA ? Int(number) : Int(number) - match.countA) \(name(number))\(isOfA ? "" : " of B")"
  }

  private var changedLines: [String] {
    let images = tally.changed.sorted
    if images.isEmpty { return [] }
    return ["changed most:"]
      + images.map { image in
        var parts = ["half L1 \(image.halfL1.short)"]
        if let entries = image.entries { parts.append("\(entries) entries of one only") }
        if let score = image.highestScore { parts.append("scores by \(score.short)") }
        if let best = image.best {
          parts.append(
            best.from == best.to
              ? label(best.from) : "\(label(best.from)) → \(label(best.to))"
          )
        }
        return "  \(image.name.text): \(parts.joined(separator: ", "))"
      }
  }
}

extension CellDifference {
  /// True where transposing one grid would bring the best classes much nearer.
  var isNearerTransposed: Bool { otherBest > 0 && otherBestTransposed * 2 < otherBest }
}

extension Double {
  /// Four digits that count.
  fileprivate var short: String {
    guard self != 0, isFinite else { return self == 0 ? "0" : "\(self)" }
    let exponent = Int(Mathematics.log10(abs(self)).rounded(.down))
    let scale = Mathematics.pow(10, Double(3 - exponent))
    guard scale.isFinite, scale > 0 else { return "\(self)" }
    let rounded = (self * scale).rounded()
    // By division where it can be: 0.1 is 1000 / 10000, and no product of 0.0001.
    let text = "\(rounded / scale)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
