import FunctionCatalog
import WorkerKit

WorkerMain.run(catalog)
