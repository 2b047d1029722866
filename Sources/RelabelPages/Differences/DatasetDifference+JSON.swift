package import Relabel

extension DatasetDifference {
  /// The difference as a document for programs.
  package var json: JSON {
    .object([
      "schema_version": .string("1.0"),
      "verdict": .string(verdict.rawValue),
      "tolerance": .string(options.tolerance.text),
      "a": side(a, headerA),
      "b": side(b, headerB),
      "headers": .array(headers.facts.map(\.json)),
      "classes_matched": .string(match.manner),
      "images": .object([
        "in_both": .integer(Int64(tally.images)),
        "only_in_a": onlyA.json,
        "only_in_b": onlyB.json,
        "other_extents": tally.otherExtents.json,
        "other_views": tally.otherViews.json,
      ]),
      "ids": ids,
      "scores": scores,
      "targets": targets,
      "moved": .object([
        "cells": moved(tally.movedCells), "images": moved(tally.movedImages),
      ]),
      "changed": .array(tally.changed.sorted.map(changed)),
    ])
  }

  private func side(_ source: any LabelMapSource, _ header: ShardHeader) -> JSON {
    .object([
      "path": .string(source.path),
      "rows": .integer(Int64(source.count)),
      "shards": .integer(Int64(source.rowsOfShards.count)),
      "height": .integer(Int64(header.shape.height)),
      "width": .integer(Int64(header.shape.width)),
      "top_k": .integer(Int64(header.shape.topK)),
      "has_factors": .bool(header.hasFactors),
      "num_classes": .integer(Int64(header.numClasses)),
      "score_encoding": .string(header.encoding.text),
      "annotator": .optional(header.metadata.annotatorName),
    ])
  }

  private var ids: JSON {
    if let obstacle = cells.obstacle { return .object(["not_compared": .string(obstacle)]) }
    return .object(tally.cells.countsJSON)
  }

  private var scores: JSON {
    if let obstacle = cells.obstacle ?? cells.scoreObstacle {
      return .object(["not_compared": .string(obstacle)])
    }
    let found = tally.cells.scores
    var members = found.countsJSON
    if !cells.promises { members["beyond_encodings"] = .null }
    members["compared"] = .integer(Int64(tally.cells.common))
    members["max"] = .number(found.highest)
    members["mean"] = .optional(
      tally.cells.common > 0 ? found.sum / Double(tally.cells.common) : nil
    )
    members["histogram"] = found.histogram.json
    return .object(members)
  }

  private var targets: JSON {
    let found = tally.targets
    return .object(
      found.countsJSON.merging([
        "crops_of_an_image": .integer(Int64(options.crops)),
        "seed": .string("\(options.seed)"),
        "mean_half_l1": .optional(found.meanHalfL1),
        "max_half_l1": .number(found.highestHalfL1),
        "histogram": found.histogram.json,
        "mean_kl": .optional(found.meanKL),
        "max_kl": .optional(found.divergences > 0 ? found.highestKL : nil),
      ]) { count, _ in count }
    )
  }

  private func moved(_ moved: MovedClasses) -> JSON {
    .object([
      "total": .integer(Int64(moved.total)),
      "counts_short_by": .integer(Int64(moved.shortBy)),
      "pairs": .array(
        moved.top(options.listed).map { pair, count in
          .object([
            "from": classJSON(pair.from), "to": classJSON(pair.to),
            "count": .integer(Int64(count)),
          ])
        }
      ),
    ])
  }

  /// A class with its number in the dataset that has it.
  private func classJSON(_ number: UInt32) -> JSON {
    let isOfA = Int(number) < match.countA
    return .object([
      "dataset": .string(isOfA ? "a" : "b"),
      "class_index": .integer(Int64(number) - (isOfA ? 0 : Int64(match.countA))),
      "name": .string(name(number)),
    ])
  }

  private func changed(_ image: ChangedImage) -> JSON {
    .object([
      "key": .string(image.name.key),
      "view": image.name.view.map { .integer(Int64($0)) } ?? .null,
      "half_l1": .number(image.halfL1),
      "entries": image.entries.map { .integer(Int64($0)) } ?? .null,
      "max_score": .optional(image.highestScore),
      "from": image.best.map { classJSON($0.from) } ?? .null,
      "to": image.best.map { classJSON($0.to) } ?? .null,
    ])
  }
}

extension TargetDifference {
  var meanHalfL1: Double? { crops > 0 ? sumOfHalfL1 / Double(crops) : nil }
  var meanKL: Double? { divergences > 0 ? sumOfKL / Double(divergences) : nil }
}
