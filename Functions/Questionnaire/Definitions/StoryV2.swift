/// The questionnaire from which scripts are made.
///
/// Published: it never changes.
let storyV2 = #"""
    {
      "name": "story",
      "version": 2,
      "title": "Your story",
      "questions": [
        {"id": "hero", "type": "text", "title": "What is the hero called?", "required": true, "maxLength": 60,
         "pattern": "\\l[\\l\\s.'’-]*"},
        {"id": "age", "type": "number", "title": "How old is the hero?", "required": true,
         "whole": true, "min": 1, "max": 120},
        {"id": "place", "type": "text", "title": "Where does it happen?", "required": true, "maxLength": 80},
        {"id": "companion", "type": "single", "title": "Who goes along?",
         "choices": ["nobody", "animal", "friend", "robot"], "other": true},
        {"id": "companion_name", "type": "text", "title": "What is the companion called?", "required": true,
         "maxLength": 60, "visibleIf": {"question": "companion", "in": ["animal", "friend", "robot"]}},
        {"id": "wish", "type": "longtext", "title": "What does the hero want most?", "required": true,
         "minLength": 3, "maxLength": 600},
        {"id": "genre", "type": "single", "title": "What kind of story?",
         "choices": [
           {"value": "adventure", "text": "An adventure"}, {"value": "mystery", "text": "A mystery"},
           {"value": "comedy", "text": "A comedy"}, {"value": "fairy tale", "text": "A fairy tale"},
           {"value": "science fiction", "text": "Science fiction"}
         ]},
        {"id": "clue", "type": "text", "title": "Which clue is found first?", "maxLength": 120,
         "visibleIf": {"all": [{"question": "genre", "equals": "mystery"}, {"question": "age", "gte": 8}]}},
        {"id": "traits", "type": "multi", "title": "What is the hero like?", "minChoices": 1, "maxChoices": 3,
         "choices": ["brave", "curious", "kind", "clever", "stubborn", "funny"]},
        {"id": "values", "type": "ranking", "title": "What matters most in the story?",
         "choices": ["friendship", "courage", "truth"]},
        {"id": "mood", "type": "matrix", "title": "How should it feel?",
         "rows": ["beginning", "middle", "end"], "columns": ["calm", "tense", "joyful"]},
        {"id": "friends", "type": "group", "title": "Who else is in it?", "max": 3, "questions": [
          {"id": "name", "type": "text", "title": "Name", "required": true, "maxLength": 60},
          {"id": "role", "type": "single", "title": "Role", "choices": ["helper", "rival", "teacher"]},
          {"id": "secret", "type": "text", "title": "The rival's secret", "maxLength": 120,
           "visibleIf": {"question": "role", "equals": "rival"}}
        ]},
        {"id": "happy_end", "type": "boolean", "title": "Should it end well?"},
        {"id": "excitement", "type": "rating", "title": "How exciting, from 1 to 5?", "min": 1, "max": 5},
        {"id": "birthday", "type": "date", "title": "When is the hero's birthday?", "min": "1900-01-01",
         "max": "today"},
        {"id": "email", "type": "email", "title": "Where shall we write to when it is done?", "private": true,
         "message": "give an e-mail address such as name@example.org, or leave it out"}
      ]
    }
    """#
