"""Every fixture, in a fixed order: a new module of fixtures is named here."""

import fixtures_factors
import fixtures_pictures
import fixtures_structure
import fixtures_values
import fixtures_views
import rule_fixtures

MODULES = [rule_fixtures, fixtures_pictures, fixtures_structure, fixtures_values, fixtures_views, fixtures_factors]
BROKEN = [fixture for module in MODULES for fixture in module.FIXTURES.broken]
SOUND = [fixture for module in MODULES for fixture in module.FIXTURES.sound_files]
