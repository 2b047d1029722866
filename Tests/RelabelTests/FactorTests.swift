import Relabel
import Testing

/// Factors of maps: how they are made, and what they are asked (spec, section 4.11).
@Suite("Factors")
struct FactorTests {
  /// A map whose logits follow from whole numbers alone, so that every machine has the same.
  private static func map(_ classes: Int, _ height: Int, _ width: Int) -> DenseMap {
    var score: [Float] = []
    for id in 0..<classes {
      for y in 0..<height {
        for x in 0..<width {
          let waves = (id * 7 + y * 3) % 11 - (id * 5 + x * 2) % 13
          let peak = id % 17 == (y / 3 * 4 + x / 4) % 17 ? 40 : 0
          score.append(Float(waves + peak) / 4)
        }
      }
    }
    return DenseMap(
      classes: classes,
      shape: MapShape(height: height, width: width, topK: classes),
      score: score
    )
  }

  private static func bytes(_ map: LabelMap) throws -> [UInt8] {
    let factors = try #require(map.factors)
    let scale = factors.scale.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    return map.score.map { UInt8($0 + 127) } + factors.numbers + scale
  }

  @Test("The same map gives the same bytes, on any thread")
  func isDeterministic() throws {
    let dense = Self.map(60, 9, 11)
    let encoder = try FactorEncoder(height: 9, width: 11, numClasses: 60)
    let wanted = try Self.bytes(encoder.encode(dense))
    let found = Parallel.map(6, jobs: 3) { _ in encoder.encode(dense) }
    for map in found { #expect(try Self.bytes(map) == wanted) }
    let other = try FactorEncoder(height: 9, width: 11, numClasses: 60)
    #expect(try Self.bytes(other.encode(dense)) == wanted)
  }

  @Test("Every machine makes the bytes that are on record")
  func bytesAreOnRecord() throws {
    let encoder = try FactorEncoder(height: 9, width: 11, numClasses: 60)
    let bytes = try Self.bytes(encoder.encode(Self.map(60, 9, 11)))
    #expect(Digest.of(bytes) == "c72826794ab4fea8757b61cd35f3da94a3f1b6096d53fb52d95b3ec88b9431a2")
  }

  @Test("Eigenvalues and vectors are those that a matrix was made of")
  func eigen() {
    // Orthogonal rows of ones, as Hadamard's matrix has them.
    let values: [Double] = [9, 5, 2, -3]
    let signs: [[Double]] = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    var matrix = SmallMatrix(4, 4)
    for row in 0..<4 {
      for column in 0..<4 {
        for (value, vector) in zip(values, signs) {
          matrix[row, column] += value * vector[row] * vector[column] / 4
        }
      }
    }
    let (found, vectors) = matrix.eigen()
    for place in 0..<4 {
      #expect(abs(found[place] - values[place]) < 1e-12)
      let product = (0..<4).reduce(0.0) { $0 + vectors[place, $1] * signs[place][$1] / 2 }
      #expect(abs(abs(product) - 1) < 1e-12)
    }
  }

  @Test("The plain exponential errs by less than a millionth of the value")
  func exponential() {
    for first in stride(from: 0, to: 8000, by: 8) {
      var x = SIMD8<Float>.zero
      for lane in 0..<8 { x[lane] = Float(first + lane) / -100 }
      let (found, ofVectors) = (PlainExponential.of(x), PlainExponential.ofVectors(x))
      for lane in 0..<8 {
        let wanted = Mathematics.exp(Double(x[lane]))
        #expect(abs(Double(found[lane]) - wanted) < 1e-6 * wanted)
        #expect(abs(Double(ofVectors[lane]) - wanted) < 1e-6 * wanted)
      }
    }
    let (zero, low) = (SIMD8<Float>.zero, SIMD8<Float>(repeating: -1e30))
    #expect(PlainExponential.of(zero)[0] == 1 && PlainExponential.ofVectors(zero)[0] == 1)
    #expect(PlainExponential.of(low)[0] == 0 && PlainExponential.ofVectors(low)[0] < 1e-37)
  }

  @Test("A map that is one product is kept but for the rounding of its numbers")
  func rankOne() throws {
    let (height, width, classes) = (6, 5, 40)
    let cells = height * width
    var score: [Float] = []
    for id in 0..<classes {
      // Multiples of a power of two, in cells and of classes.
      for cell in 0..<cells { score.append(Float((cell % 7 - 3) * (id % 9 - 4)) / 4) }
    }
    let shape = MapShape(height: height, width: width, topK: classes)
    let dense = DenseMap(classes: classes, shape: shape, score: score)
    let encoder = try FactorEncoder(
      height: height,
      width: width,
      numClasses: classes,
      quality: 1e-7
    )
    let map = encoder.encode(dense)
    let factors = try #require(map.factors)
    #expect(factors.scale.count { $0 != 0 } >= 1)
    let found = try #require(map.denseOfFactors)
    for cell in 0..<cells {
      let mean = (0..<classes).reduce(0) { $0 + score[$1 * cells + cell] } / Float(classes)
      for id in 0..<classes {
        let wanted = score[id * cells + cell] - mean
        #expect(abs(found.score[id * cells + cell] - wanted) < 0.05)
      }
    }
  }

  @Test("The best classes of a map of factors are those of its logits, and the others count as 0")
  func ofClasses() throws {
    let encoder = try FactorEncoder(height: 4, width: 6, numClasses: 30)
    let map = encoder.encode(Self.map(30, 4, 6))
    let dense = try #require(map.denseOfFactors)
    let best = map.ofClasses(best: 3)
    #expect(best.shape == MapShape(height: 4, width: 6, topK: 3) && best.factors == nil)
    for cell in 0..<24 {
      let logits = (0..<30).map { dense.score[$0 * 24 + cell] }
      let order = logits.indices.sorted {
        logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1]
      }
      let rest = order[3...].reduce(0.0) { $0 + Double(logits[$1]) } / 27
      for rank in 0..<3 {
        #expect(best.classIndex[cell * 3 + rank] == UInt32(order[rank]))
        let wanted = Double(logits[order[rank]]) - rest
        #expect(abs(Double(best.score[cell * 3 + rank]) - wanted) < 1e-4)
      }
    }
    // More classes than there are give all; a map of classes stays as it is.
    #expect(map.ofClasses(best: 99).shape.topK == 30)
    #expect(best.ofClasses(best: 1) == best)
  }

  @Test("Maps of another grid or other classes, and grids of too many cells, are refused")
  func refusals() throws {
    let encoder = try FactorEncoder(height: 4, width: 6, numClasses: 30)
    for dense in [Self.map(30, 6, 4), Self.map(31, 4, 6)] {
      #expect { _ = try encoder.checked(dense) } throws: {
        ($0 as? RelabelError)?.code == .invalidInput
      }
    }
    #expect { _ = try FactorEncoder(height: 41, width: 40, numClasses: 3) } throws: {
      ($0 as? RelabelError)?.code == .usage
    }
  }

  @Test("Maps of factors whose ids don't number them in order are not pooled")
  func idsNumberFactors() throws {
    let encoder = try FactorEncoder(height: 4, width: 6, numClasses: 30)
    var map = encoder.encode(Self.map(30, 4, 6))
    let pooling = try Self.pooling(map.shape, 30)
    let target = try pooling.target(of: map, in: .whole)
    #expect(target.classIndex.count == 30 && abs(target.probability.reduce(0, +) - 1) < 1e-5)
    map.classIndex.swapAt(0, 1)
    #expect { _ = try pooling.target(of: map, in: .whole) } throws: {
      ($0 as? RelabelError)?.code == .invalidInput
    }
  }

  private static func pooling(_ shape: MapShape, _ classes: Int) throws -> LabelPooling {
    var header = ShardHeader(
      numClasses: classes,
      scoreKind: .logit,
      shape: shape,
      encoding: FactorEncoder.amounts,
      keyBytes: 1,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: nil)
    )
    header.declareFactors()
    return try LabelPooling(header, profile: .relabel)
  }
}
