"""What is never committed for Claude, whatever the repository's own .gitignore leaves out."""

from __future__ import annotations

# The patterns on which GitHub's own templates (github/gitignore: Node, Python, Ruby, Java, Terraform, Dart, Global)
# agree: dependencies, caches, reports of coverage, local databases, logs and environment files, none of which has ever
# been meant for a commit. Only at the top are all logs left out: deeper, tests may read them. Whatever is tracked stays
# so, and `git add --force` still adds.
NEVER_COMMITTED = """\
node_modules/
bower_components/
.pnpm-store/
.yarn/cache/
.yarn/install-state.gz
.npm/
.venv/
venv/
__pycache__/
*.py[cod]
*.egg-info/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.tox/
.nox/
.ipynb_checkpoints/
.bundle/
vendor/bundle/
.gradle/
.next/
.nuxt/
.output/
.svelte-kit/
.astro/
.angular/cache/
.docusaurus/
.parcel-cache/
.turbo/
.vite/
.wrangler/
.cache/
.sass-cache/
.eslintcache
.stylelintcache
.terraform/
.serverless/
.dart_tool/
.hypothesis/
.eggs/
*.class
htmlcov/
.coverage
.coverage.*
.nyc_output/
*.lcov
*.tsbuildinfo
.env
.env.local
.env.*.local
db.sqlite3
db.sqlite3-journal
/*.log
npm-debug.log*
yarn-debug.log*
yarn-error.log*
pnpm-debug.log*
.DS_Store
Thumbs.db
"""
