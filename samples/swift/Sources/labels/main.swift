import Relabel
import RelabelPacking
import RelabelVerification

// Writes: one call for each picture; index.json appears last.
var options = PackOptions(output: CommandLine.arguments[1])
options.numClasses = 1000
options.scoreKind = .logit
let writer = try DatasetWriter(options)
for place in 0..<8 {
  let scores = (0..<1000 * 7 * 7).map { Float(($0 * 31 + place) % 997) / 64 }  // [class, y, x]
  try writer.append(dense: scores.span, height: 7, width: 7, key: "train/\(place)")
}
let summary = try writer.finish()

// Verifies every byte and value.
let report = Verifier(jobs: 2).verify([options.output])
print(summary.index.count, "images,", report.findings.count, "findings")

// Reads and pools.
let dataset = try ShardedDataset(options.output)
if let position = try dataset.position(forKey: "train/3") {
  let crop = CropBox(top: 0.1, left: 0.1, height: 0.4, width: 0.4)
  let pooling = try LabelPooling(dataset.header)
  print(try pooling.target(of: dataset.map(at: position), in: crop).top(1)[0].classIndex)
}
