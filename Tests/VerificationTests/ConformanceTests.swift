import Relabel
import TestSupport
import Testing
import RelabelVerification

/// What the verifier and the reader say of every file of the conformance pack, within this process.
@Suite("The conformance pack")
struct ConformanceTests {
  @Test("Every case has its files, and every folder of files its case")
  func complete() throws {
    var folders: [String] = []
    for kind in ["invalid", "valid"] {
      folders += try Folder.names(ConformancePack.file(kind)).map { "\(kind)/\($0)" }
    }
    #expect(folders == ConformancePack.cases.map(\.name).sorted(by: ImageKey.precedes))
    for each in ConformancePack.cases {
      #expect(Folder.hasFile(ConformancePack.file(each.path)) || each.errors.contains("M001"))
    }
  }

  @Test("Every rule has a case that breaks it")
  func allRules() {
    let broken = Set(ConformancePack.cases.flatMap { $0.errors + $0.notices })
    #expect(Rule.allCases.filter { !broken.contains($0.id) } == [])
  }

  @Test("The verifier reports the rules that the case names", arguments: ConformancePack.cases)
  func verdict(_ each: ConformancePack.Case) throws {
    var verifier = Verifier()
    verifier.pictures = try each.pictureChecks()
    let report = verifier.verify([ConformancePack.file(each.path)])
    func rules(_ isWanted: (Rule.Severity) -> Bool) -> Set<String> {
      Set(report.findings.filter { isWanted($0.severity) }.map(\.rule.id))
    }
    #expect(rules { $0 == .error } == Set(each.errors))
    // There may be other warnings and notes (spec/conformance/README.md).
    #expect(rules { $0 != .error }.isSuperset(of: each.notices))
    #expect(Int64(report.exitStatus.rawValue) == each.exitCode)
    #expect(report.verdict == each.verdict)
  }

  @Test("A reader reads or refuses as the case says", arguments: ConformancePack.cases)
  func reading(_ each: ConformancePack.Case) throws {
    do {
      let maps = try openLabelMaps(ConformancePack.file(each.path))
      for position in 0..<maps.count {
        _ = try maps.map(at: position)
        _ = try maps.key(at: position)
        _ = try maps.imageIndex(at: position)
      }
      #expect(each.reader != "refuses")
    } catch {
      #expect(each.reader != "reads", "\(error)")
      // A refusal says which rule of the case it is about.
      #expect(error.rule.map { each.errors.contains($0.id) } == true, "\(error)")
      #expect(Int64(error.code.exitStatus.rawValue) == each.exitCode, "\(error)")
    }
  }
}
