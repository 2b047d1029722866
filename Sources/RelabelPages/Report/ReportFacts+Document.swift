internal import Relabel
internal import RelabelVerification

extension ReportFacts {
  /// Rows of a table of classes or pairs: the ends of a long list.
  private static let shown = 15
  /// Findings that are listed.
  private static let shownFindings = 20

  /// The document of the report.
  ///
  /// - Throws: as reading, for the images of contact sheets.
  func document(
    title: String,
    sheets: [ContactSheet],
    _ thumbnails: Thumbnails
  ) throws(RelabelError) -> JSON {
    var named: Set<UInt32> = []
    var drawn: [JSON] = []
    for sheet in sheets {
      drawn.append(try sheet.json(source, pictures: thumbnails.addresses, &named))
    }
    let (classes, confusions) = (classTables(&named), pairs(measures.confusions, &named))
    let companions = pairs(measures.companions, &named)
    return .object([
      "schema_version": .string("1.0"),
      "title": .string(title),
      "dataset": dataset,
      "header": header.pageDocument,
      "verdict": verdict,
      "matters": .array(ReportedMatter.all(in: self).map(\.json)),
      "labels": labels,
      "crops": crops,
      "distributions": distributions,
      "grid": gridDocument,
      "classes": classes,
      "confusions": confusions,
      "companions": companions,
      "sheets": .array(drawn),
      "pictures_missing": .integer(Int64(thumbnails.missing)),
      "storing": parts.json,
      "repeats": try repeatsDocument(),
      "constant_maps": .integer(Int64(measures.constant)),
      "marks": marks?.json ?? .null,
      "names": shortNames(named),
    ])
  }

  private var dataset: JSON {
    let annotator = header.metadata.json["annotator"]
    return .object([
      "images": .integer(Int64(measures.images)),
      "shards": .integer(Int64(source.rowsOfShards.count)),
      "left_out": .integer(Int64((source as? ShardedDataset)?.index.leftOut.count ?? 0)),
      "are_views": .bool(header.views != nil),
      "format_version": .string("\(header.version)"),
      "writer": .string(header.writer.shortened),
      "annotator": .optional(header.metadata.annotatorName?.shortened),
      "annotator_facts": .object(Self.flat(annotator)),
      "has_class_names": .bool(header.metadata.classes != nil),
    ])
  }

  /// The members of the annotator document that a line can show.
  private static func flat(_ annotator: JSON?) -> [String: JSON] {
    guard case .object(let members) = annotator else { return [:] }
    var flat: [String: JSON] = [:]
    for (name, value) in members.sorted(by: { $0.key < $1.key }).prefix(24) {
      switch value {
      case .string(let text): flat[name.shortened] = .string(text.shortened)
      case .integer, .number, .bool: flat[name.shortened] = value
      default: break
      }
    }
    return flat
  }

  private var verdict: JSON {
    let order: [Rule.Severity] = [.error, .warning]
    let sorted = order.flatMap { severity in report.findings.filter { $0.severity == severity } }
    return .object([
      "level": .string(level.rawValue),
      "verdict": .string(report.verdict),
      "errors": .integer(Int64(report.findings.count { $0.severity == .error })),
      "warnings": .integer(Int64(report.findings.count { $0.severity == .warning })),
      "findings": .array(
        sorted.prefix(Self.shownFindings).map {
          .object([
            "rule": .string($0.rule.id), "severity": .string($0.severity.rawValue),
            "message": .string($0.message.printable.cut(400)),
            "count": .integer(Int64($0.count)),
          ])
        }
      ),
      "omissions": .array(report.omissions.prefix(5).map { .string($0.printable.cut(400)) }),
    ])
  }

  private var labels: JSON {
    let totals = measures.labels
    guard totals.images > 0 else { return .null }
    return .object([
      "images": .integer(Int64(totals.images)),
      "agreeing": .integer(Int64(totals.agreeing)),
      "agreement": .rounded(Double(totals.agreeing) / Double(totals.images)),
      "not_in_map": .integer(Int64(totals.unseen)),
      "foreign": .integer(Int64(totals.foreign)),
      "mean_probability": .rounded(totals.mass / Double(totals.images)),
      "shift": classList.shift.map { .integer(Int64($0)) } ?? .null,
      "consistency": classList.consistency.map(JSON.rounded) ?? .null,
    ])
  }

  private var crops: JSON {
    let totals = measures.crops
    guard totals.crops > 0 else { return .null }
    return .object([
      "per_image": .integer(Int64(CropSet.boxes.count)),
      "boxes": .array(CropSet.boxes.map { .array($0.components.map { .rounded($0) }) }),
      "crops": .integer(Int64(totals.crops)),
      "other_than_image": .rounded(Double(totals.otherThanImage) / Double(totals.crops)),
      "other_than_label": totals.labelled == 0
        ? .null : .rounded(Double(totals.otherThanLabel) / Double(totals.labelled)),
    ])
  }

  private var distributions: JSON {
    .object([
      "probability": measures.probability.json,
      "missing": header.leavesClassesOut ? measures.missing.json : .null,
      "entropy": measures.entropy.json,
      "suspicion": measures.suspicion.json,
    ])
  }

  private var gridDocument: JSON {
    .object([
      "rows": .integer(Int64(cells.rows)),
      "columns": .integer(Int64(cells.columns)),
      "mean_entropy": .array(cells.meanEntropies.map { .rounded($0) }),
      "lies": .string(grid.rawValue),
      "lower_minus_upper": .rounded(measures.rows.mean),
      "right_minus_left": .rounded(measures.columns.mean),
      "lower_minus_upper_errors": .rounded(measures.rows.significance),
      "right_minus_left_errors": .rounded(measures.columns.significance),
    ])
  }

  private func repeatsDocument() throws(RelabelError) -> JSON {
    var groups: [JSON] = []
    for group in repeats.groups {
      var keys: [JSON] = []
      for position in group.positions {
        keys.append(.string(try source.key(at: position).shortened))
      }
      groups.append(.object(["images": .integer(Int64(group.images)), "keys": .array(keys)]))
    }
    return .object([
      "images": .integer(Int64(repeats.images)), "maps": .integer(Int64(repeats.maps)),
      "groups": .array(groups),
    ])
  }

  /// Tables of classes: the ends of each list, and how many are not shown.
  private func classTables(_ named: inout Set<UInt32>) -> JSON {
    let counts = measures.classes
    guard !counts.isEmpty else { return .null }
    let often = counts.indices.sorted { (counts[$0].best, $1) > (counts[$1].best, $0) }
    let never = counts.indices.filter { !cells.hasSeen($0) }
    let seldom = counts.indices.filter { cells.hasSeen($0) }
      .sorted { (counts[$0].best, cells.best[$0], $0) < (counts[$1].best, cells.best[$1], $1) }
    let worst = counts.indices.filter { counts[$0].labelled > 0 }.sorted { a, b in
      let (one, other) = (counts[a].agreement ?? 1, counts[b].agreement ?? 1)
      return one != other ? one < other : (counts[a].labelled, b) > (counts[b].labelled, a)
    }
    func rows(_ ids: some Sequence<Int>) -> JSON {
      .array(
        ids.prefix(Self.shown).map {
          named.insert(UInt32($0))
          return counts[$0].json(id: $0, cells: cells.best[$0])
        }
      )
    }
    return .object([
      "count": .integer(Int64(counts.count)),
      "seen": .integer(Int64(cells.classesSeen)),
      "never": .integer(Int64(never.count)),
      "labelled": .integer(Int64(worst.count)),
      "most": rows(often), "least": rows(seldom), "never_shown": rows(never),
      "worst": rows(worst),
    ])
  }

  private func pairs(_ counts: PairCounts, _ named: inout Set<UInt32>) -> JSON {
    let most = counts.most(Self.shown)
    for pair in most { named.formUnion([pair.first, pair.second]) }
    return .object([
      "is_exact": .bool(counts.isExact),
      "pairs": .array(
        most.map {
          .array([
            .integer(Int64($0.first)), .integer(Int64($0.second)), .integer(Int64($0.count)),
          ])
        }
      ),
    ])
  }

  private func shortNames(_ named: Set<UInt32>) -> JSON {
    guard let table = header.metadata.classes else { return .object([:]) }
    // A class whose name is blank goes by its number.
    let names = named.map { ("\($0)", table.name(of: Int($0)).shortened) }
      .filter { !$0.1.allSatisfy(\.isWhitespace) }
    return .object(Dictionary(uniqueKeysWithValues: names.map { ($0.0, .string($0.1)) }))
  }
}

extension ClassCounts {
  /// For a page or a program.
  func json(id: Int, cells: Int) -> JSON {
    .object([
      "class_index": .integer(Int64(id)),
      "best": .integer(Int64(best)),
      "cells": .integer(Int64(cells)),
      "labelled": .integer(Int64(labelled)),
      "agreeing": .integer(Int64(agreeing)),
      "not_in_map": .integer(Int64(unseen)),
      "agreement": agreement.map(JSON.rounded) ?? .null,
      "mean_probability": meanProbability.map(JSON.rounded) ?? .null,
      "crops_other": cropsOtherShare.map(JSON.rounded) ?? .null,
    ])
  }
}
