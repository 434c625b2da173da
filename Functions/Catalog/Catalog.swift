import Chatbot
import FunctionCore
import Learning
import Motto
import PersonaImage
import Questionnaire
import Script
import Trading
import Video

/// Every function of the bundle.
///
/// The one file that lists them.
public let catalog: [FunctionEntry] = [
    FunctionEntry("questionnaire", QuestionnaireFunction.self),
    FunctionEntry("script", ScriptFunction.self),
    FunctionEntry("video", VideoFunction.self),
    FunctionEntry("persona-image", PersonaImageFunction.self),
    FunctionEntry("motto", MottoFunction.self),
    FunctionEntry("chatbot", ChatbotFunction.self),
    FunctionEntry("trading", TradingFunction.self),
    FunctionEntry("learning", LearningFunction.self),
]
