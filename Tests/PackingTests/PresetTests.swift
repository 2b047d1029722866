import Relabel
import Testing

@testable import RelabelPacking

@Suite("Presets")
struct PresetTests {
  @Test(
    "small makes the step eight times as wide, whatever the scores are",
    arguments: ScoreKind.allCases
  )
  func coarserStep(kind: ScoreKind) throws {
    let usual = try ScoreEncoding(.fixed16, for: kind)
    let error = Preset.small.maximumError(.fixed16, kind)
    let small = try ScoreEncoding(.fixed16, for: kind, maximumError: error)
    #expect(try #require(small.packing).step == 8 * #require(usual.packing).step)
  }

  @Test(
    "other encodings stay as they are",
    arguments: [ScoreEncoding.Name.fixed8, .float16, .float32]
  )
  func otherEncodings(name: ScoreEncoding.Name) {
    #expect(Preset.small.maximumError(name, .logit) == nil)
  }

  @Test("what the user says overrides the preset")
  func overriding() {
    var options = PackOptions(inputs: ["maps"], output: "dataset", preset: .small)
    #expect(options.cellOrder == .class)
    #expect(options.imagesPerChunk == 16)
    #expect(options.compression == .deflate(level: 12))
    options.compression = .none
    #expect(options.imagesPerChunk == 16)
    options.cellOrder = .score
    #expect(options.cellOrder == .score)
  }

  @Test("a chunk that is not compressed has one image, unless the user says another number")
  func uncompressedChunks() {
    var options = PackOptions(inputs: ["maps"], output: "dataset")
    #expect(options.imagesPerChunk == 4)
    options.compression = .none
    #expect(options.imagesPerChunk == 1)
    options.imagesPerChunk = 3
    #expect(options.imagesPerChunk == 3)
  }
}
