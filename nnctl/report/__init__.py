"""Pages and tables about runs, made from run directories alone; no network is ever run here.

runs = [read_run(path) for path in paths]
page(runs), markdown(runs), csv(runs), document(runs), chart(runs)
"""

import logging

# matplotlib tells at length that it builds a font cache, and where, if there is no home for one.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
