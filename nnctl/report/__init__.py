"""Pages and tables about runs, made from run directories alone; no network is ever run here.

runs = [read_run(path) for path in paths]
page(runs), markdown(runs), csv(runs), document(runs), chart(runs)
"""
